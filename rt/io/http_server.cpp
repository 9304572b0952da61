#include <rt/io/http_server.hpp>

#include <rt/io/http_connection.hpp>
#include <rt/io/http_date.hpp>

namespace rt::http {

static_assert(date_size == 29); // as Server has it

Result<void> Server::serve(StreamListener& from) {
  const int listener = from.number();
  send_without_delay(listener);
  listener_.store(listener, std::memory_order_seq_cst);
  Result<void> result;
  Group group;
  while (result && stopping_.load(std::memory_order_seq_cst) == 0) {
    const Result<Ready> ready = wait_until_ready(listener, Ready::read);
    if (stopping_.load(std::memory_order_relaxed) != 0) break;
    result = ready ? accept_all(listener, group) : ready.error();
  }
  if (stopping_.load(std::memory_order_relaxed) != 0) result = {}; // that is what its errors come from
  stopping_.store(1, std::memory_order_relaxed);
  listener_.store(-1, std::memory_order_relaxed);
  end_connections(group);
  return result;
}

void Server::stop() {
  stopping_.store(1, std::memory_order_seq_cst);
  const int listener = listener_.load(std::memory_order_seq_cst);
  if (listener >= 0) (void)kernel::shut_down_socket(listener, kernel::ShutDown::reading);
  room_.set(); // if it is not in accept
}

Result<void> Server::accept_all(int listener, Group& group) {
  for (int i = 0; i < 64; ++i) { // then others have their turn
    if (count_ >= options_.connections) {
      room_.clear();
      close_an_idle_one();
      return room_.wait_for(std::chrono::seconds(1)).error() == Errc::canceled ? Errc::canceled : Errc::none;
    }
    const Result<void> accepted = accept_one(listener, group);
    if (accepted) continue;
    switch (accepted.error().code) {
    case Errc::would_block: return {};
    case Errc::too_many_files_open:
    case Errc::too_many_files_open_in_system:
    case Errc::no_buffer_space:
    case Errc::not_enough_memory:
    case Errc::too_many_mappings: {
      room_.clear();
      close_an_idle_one();
      const Result<void> room = room_.wait_for(std::chrono::milliseconds(100));
      if (room.error() == Errc::canceled) return room;
      return {};
    }
    case Errc::interrupted: continue;
    default:
      if (!kernel::is_of_connection(accepted.error())) return accepted;
    }
  }
  return {};
}

Result<void> Server::accept_one(int listener, Group& group) {
  const Result<int> accepted = kernel::accept_connection(listener);
  if (!accepted) return accepted.error();
  ++count_;
  const Result<void> spawned = group.spawn(
      [this](Fd socket) {
        Connection(*this, std::move(socket)).run();
        --count_;
        room_.set();
      },
      Fd(*accepted));
  if (!spawned) --count_;
  return spawned;
}

bool Server::close_an_idle_one() {
  if (idle_.alone()) return false;
  static_cast<Connection*>(idle_.next)->close_idle();
  return true;
}

void Server::end_connections(Group& group) {
  for (ConnectionLink* link = idle_.next; link != &idle_; link = link->next)
    static_cast<Connection*>(link)->close_idle();
  // This task may have been canceled itself, so it is another one that looks at the clock.
  auto limit = try_spawn(FiberOptions{.name = "http stop"}, [&] {
    if (sleep_for(options_.stop_timeout)) group.cancel();
  });
  if (!limit) group.cancel();
  group.join();
  if (!limit) return;
  limit->cancel();
  limit->join();
}

std::string_view Server::date() {
  const std::int64_t second = std::chrono::floor<std::chrono::seconds>(time_since_1970()).count();
  if (second != date_second_) {
    write_date(date_, second);
    date_second_ = second;
  }
  return {date_, date_size};
}

} // namespace rt::http
