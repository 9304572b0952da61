#include <rt/io/socket.hpp>

#include <rt/io/all_bytes.hpp>
#include <rt/sync/sleep.hpp>
#include <rt/sync/waiter.hpp>

#include <asm/socket.h>
#include <linux/fcntl.h>
#include <linux/in.h>
#include <linux/in6.h>

#include <algorithm>

namespace rt {
namespace {

using namespace std::chrono_literals;

constexpr auto pause_without_resources = 10ms;

bool is_exhaustion(Errc code) {
  return code == Errc::too_many_files_open || code == Errc::too_many_files_open_in_system ||
         code == Errc::no_buffer_space || code == Errc::not_enough_memory;
}

// A descriptor that costs next to nothing, and needs no more than a root directory.
Fd take_reserve() {
  return Fd(kernel::keep_from_standard(kernel::open_file("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)).value_or(-1));
}

/// Sleeps; canceled, timed_out by the task's Timeout.
Errc pause(Deadline end) {
  sleep_until(end);
  if (current_task().canceled.load(std::memory_order_relaxed)) return Errc::canceled;
  return Deadline().limited_to(current_task().limit).passed() ? Errc::timed_out : Errc::none;
}

} // namespace

Errc Socket::wait(Ready events) {
  if (nonblocking()) return Errc::would_block;
  return wait_until_ready(number(), events).error().code;
}

Address Socket::address() const {
  const auto found = kernel::address_of_socket(number());
  return found ? Address(*found) : Address();
}

Address StreamSocket::peer() const {
  const auto found = kernel::peer_of_socket(number());
  return found ? Address(*found) : Address();
}

Result<void> Socket::set_option(int level, int option, int value) {
  return kernel::set_socket_option(number(), level, option, value);
}

Result<int> Socket::option(int level, int option) const { return kernel::socket_option(number(), level, option); }

Result<void> StreamSocket::shutdown(ShutDown what) {
  drained_ = false;
  return kernel::shut_down_socket(number(), what);
}

Result<std::size_t> StreamSocket::read(std::span<char> buffer) {
  if (buffer.empty()) return 0;
  if (drained_ && hub::running_flow && !nonblocking())
    if (const Errc code = wait(Ready::read); code != Errc::none) return code;
  const auto got = patiently(Ready::read, [&] { return kernel::receive_bytes(number(), buffer); });
  drained_ = got && *got < buffer.size() && *got > 0;
  return got;
}

Result<void> StreamSocket::read_exactly(std::span<char> buffer) { return read_all_bytes(*this, buffer); }

Result<std::size_t> StreamSocket::write_some(std::span<const char> bytes) {
  return patiently(Ready::write, [&] { return kernel::send_bytes(number(), bytes); });
}

Result<void> StreamSocket::write(std::span<const char> bytes) { return write_all_bytes(*this, bytes); }

Result<void> StreamListener::begin(StreamListener& listener, const Address& address, const ListenOptions& options) {
  const Result<int> socket = kernel::make_socket(address.family(), kernel::SocketType::stream);
  if (!socket) return socket.error();
  listener.fd_ = Fd(*socket);
  if (address.family() != Address::Family::local) {
    // What is left of connections of a server that has ended would keep its port for a minute.
    if (const auto set = listener.set_option(SOL_SOCKET, SO_REUSEADDR, 1); !set) return set;
    if (options.reuse_port)
      if (const auto set = listener.set_option(SOL_SOCKET, SO_REUSEPORT, 1); !set) return set;
  }
  if (address.family() == Address::Family::ipv6)
    if (const auto set = listener.set_option(IPPROTO_IPV6, IPV6_V6ONLY, options.only_ipv6); !set) return set;
  if (const auto bound = kernel::bind_socket(*socket, address.kernel_address()); !bound) return bound;
  if (const auto listening = kernel::listen_on_socket(*socket, options.backlog); !listening) return listening;
  listener.reserve_ = take_reserve();
  return {};
}

Result<Fd> StreamListener::accept_descriptor() {
  // A local one that was shut down is ready, with a hang-up, and says would_block; others say invalid_argument.
  bool hung_up = false;
  for (;;) {
    const Result<int> connection = kernel::accept_connection(number());
    if (connection) return Fd(*connection);
    const Error error = connection.error();
    if (error == Errc::interrupted || kernel::is_of_connection(error)) continue;
    if (error == Errc::would_block) {
      if (nonblocking()) return error;
      if (hung_up) return Errc::invalid_argument;
      const Result<Ready> ready = wait_until_ready(number(), Ready::read);
      if (!ready) return ready.error();
      hung_up = any(*ready & Ready::hang_up);
    } else if (!is_exhaustion(error.code)) {
      return error;
    } else if (const Errc code = shed_one(); code != Errc::none) {
      return code;
    }
  }
}

Errc StreamListener::shed_one() {
  if (reserve_) {
    reserve_.close();
    const Result<int> connection = kernel::accept_connection(number());
    if (connection) {
      (void)kernel::close_file(*connection);
      ++shed_;
    }
    reserve_ = take_reserve();
    if (connection) return nonblocking() ? Errc::would_block : Errc::none;
  } else {
    reserve_ = take_reserve();
  }
  if (nonblocking()) return Errc::would_block;
  return pause(Deadline::after(pause_without_resources));
}

namespace sockets {
namespace {

Result<void> connect_to(int socket, const Address& address, Deadline deadline) {
  for (;;) {
    const Result<void> connected = kernel::connect_socket(socket, address.kernel_address());
    const Error error = connected.error();
    if (connected || error == Errc::already_connected) return {};
    if (error == Errc::would_block) {
      // A local listener whose backlog is full, which nothing tells when it has room.
      if (deadline.passed()) return Errc::timed_out;
      if (const Errc code = pause(std::min(deadline, Deadline::after(1ms))); code != Errc::none) return code;
      continue;
    }
    // An interrupted call goes on in the background as well.
    if (error != Errc::operation_in_progress && error != Errc::interrupted &&
        error != Errc::connection_already_in_progress)
      return error;
    const Result<Ready> ready = wait_until_ready(socket, Ready::write, deadline);
    if (!ready) return ready.error();
    return kernel::socket_error(socket);
  }
}

} // namespace

Result<Fd> connect(const Address& address, Deadline deadline) {
  const Result<int> socket = kernel::make_socket(address.family(), kernel::SocketType::stream);
  if (!socket) return socket.error();
  Fd fd(*socket);
  if (const Result<void> connected = connect_to(*socket, address, deadline); !connected) return connected.error();
  return fd;
}

} // namespace sockets
} // namespace rt
