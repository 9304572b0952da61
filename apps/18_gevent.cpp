// gevent: cooperative fibers that fetch three pages side by side in one thread.
//
// The server is a thread of this program, on a port of the loopback interface. It knows three pages and takes a
// different time for each; it speaks the oldest and simplest form of HTTP (0.9): a line "GET /page", then the page
// until the connection ends. Its connections have a fiber each, too.
//
// All sockets are non-blocking. A fiber whose socket is not ready sleeps for a millisecond and tries again, and while
// it sleeps the others run: so it takes as long as the slowest page to fetch all, not the sum.

#include "options.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/hub/group.hpp>
#include <rt/kernel/file.hpp>
#include <rt/kernel/socket.hpp>
#include <rt/thread/thread.hpp>

#include <algorithm>
#include <atomic>
#include <linux/fcntl.h>

using namespace std::chrono_literals;
using rt::Errc, rt::Result;
using rt::kernel::Blocking, rt::kernel::Ipv4Address;

namespace {

struct Page {
  std::string_view path;
  std::chrono::milliseconds delay;
  std::size_t size;
};
constexpr Page pages[] = {{"/slow", 1000ms, 300'000}, {"/quick", 300ms, 20'000}, {"/large", 600ms, 1'000'000}};

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) (void)rt::kernel::close_file(descriptor_);
  }
  operator int() const { return descriptor_; }

 private:
  int descriptor_;
};

/// Makes a system call on a socket again and again until the socket is ready for it, and lets other fibers run between.
template <class Call> auto patiently(Call call) {
  for (;;) {
    auto result = call();
    const Errc code = result.error().code;
    if (code != Errc::would_block && code != Errc::operation_in_progress &&
        code != Errc::connection_already_in_progress)
      return result;
    rt::sleep_for(1ms);
  }
}

Result<void> send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const auto sent = patiently([&] { return rt::kernel::send_to_socket(socket, text); });
    if (!sent) return sent.error();
    text.remove_prefix(*sent);
  }
  return {};
}

Result<std::size_t> receive(int socket, std::span<char> buffer) {
  return patiently([&] { return rt::kernel::read_file(socket, buffer); });
}

/// Takes the places of standard files that are closed: a socket there would get what is printed. Nothing can be written
/// to a directory.
void occupy_standard_files() {
  for (;;) {
    const auto place = rt::kernel::open_file("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (place && *place <= 2) continue;
    if (place) (void)rt::kernel::close_file(*place);
    return;
  }
}

// --- The server ------------------------------------------------------------------------------------------------------

/// The first line; what has come, where none ends.
std::string_view receive_line(int socket, std::span<char> buffer) {
  std::size_t size = 0;
  std::string_view text;
  while (text.find('\n') == text.npos && size < buffer.size()) {
    const auto got = receive(socket, buffer.subspan(size));
    if (!got || *got == 0) break;
    text = {buffer.data(), size += *got};
  }
  return text.substr(0, text.find('\r'));
}

void answer(Socket connection) {
  char buffer[4096];
  const std::string_view request = receive_line(connection, buffer);
  for (const Page& page : pages) {
    if (!request.starts_with("GET ") || request.substr(4) != page.path) continue;
    apps::pause(page.delay);
    std::ranges::fill(buffer, page.path[1]);
    for (std::size_t left = page.size; left != 0;) {
      const std::size_t piece = std::min(left, sizeof buffer);
      if (!send_all(connection, {buffer, piece})) return; // the client has gone
      left -= piece;
    }
    return;
  }
  (void)send_all(connection, "no such page\n");
}

void serve(int listener, const std::atomic<bool>& closing) {
  rt::Group connections;
  while (!closing) {
    const auto connection = rt::kernel::accept_connection(listener, Blocking::no);
    if (connection)
      connections.spawn(answer, Socket(*connection)).value();
    else
      rt::sleep_for(1ms);
  }
}

Result<int> listen_anywhere() {
  const auto listener = rt::kernel::make_tcp_socket(Blocking::no);
  if (!listener) return listener.error();
  if (const auto bound = rt::kernel::bind_socket(*listener, {}); !bound) return bound.error();
  if (const auto listening = rt::kernel::listen_on_socket(*listener, 16); !listening) return listening.error();
  return *listener;
}

// --- The client ------------------------------------------------------------------------------------------------------

std::chrono::milliseconds since(rt::Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(rt::Clock::now() - begin);
}

/// How many bytes the page has.
Result<std::size_t> fetch(Ipv4Address server, std::string_view path) {
  const auto descriptor = rt::kernel::make_tcp_socket(Blocking::no);
  if (!descriptor) return descriptor.error();
  const Socket socket(*descriptor);
  const auto connected = patiently([&] { return rt::kernel::connect_socket(socket, server); });
  if (!connected) return connected.error();
  char buffer[4096];
  const std::size_t size = rt::format_to(buffer, "GET {}\r\n", path);
  if (const auto sent = send_all(socket, {buffer, size}); !sent) return sent.error();
  for (std::size_t bytes = 0;;) {
    const auto got = receive(socket, buffer);
    if (!got) return got.error();
    if (*got == 0) return bytes;
    bytes += *got;
  }
}

Result<std::size_t> report_fetch(Ipv4Address server, std::string_view path) {
  const auto begin = rt::Clock::now();
  rt::println("GET http://127.0.0.1:{}{}", server.port, path);
  const auto bytes = fetch(server, path);
  if (bytes)
    rt::println("{} bytes received from http://127.0.0.1:{}{} after {}", *bytes, server.port, path, since(begin));
  else
    rt::eprintln("18_gevent: cannot fetch http://127.0.0.1:{}{}: {}{}", server.port, path, bytes.error(),
                 bytes.error() == Errc::network_unreachable ? "; the loopback interface has to be up" : "");
  return bytes;
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "gevent: three pages of a server on the loopback, fetched side by side by fibers.");
  if (const auto status = options.finish()) return *status;

  occupy_standard_files();
  const auto listening = listen_anywhere();
  if (!listening) {
    rt::eprintln("18_gevent: cannot listen on the loopback interface: {}", listening.error());
    return 1;
  }
  const Socket listener(*listening);
  const Ipv4Address address = rt::kernel::address_of_socket(listener).value();
  std::atomic<bool> closing = false;
  rt::Thread server({.name = "server"}, [&] { serve(listener, closing); });
  server.start().value();

  const auto begin = rt::Clock::now();
  rt::Fiber<Result<std::size_t>> fibers[std::size(pages)];
  for (std::size_t i = 0; i < std::size(pages); ++i) fibers[i] = rt::spawn(report_fetch, address, pages[i].path);
  rt::joinall(fibers).value();
  const auto time = since(begin);
  closing = true;
  server.join();

  std::size_t bytes = 0;
  std::chrono::nanoseconds delays(0);
  bool complete = true;
  for (std::size_t i = 0; i < std::size(pages); ++i) {
    const auto fetched = fibers[i].join();
    complete = complete && fetched && *fetched == pages[i].size;
    bytes += fetched.value_or(0u);
    delays += apps::scaled(pages[i].delay);
  }
  rt::println("{} bytes in {}; one after the other, the server's delays alone are {}", bytes, time,
              std::chrono::duration_cast<std::chrono::milliseconds>(delays));
  rt::println("end");
  return complete ? 0 : 1;
}
