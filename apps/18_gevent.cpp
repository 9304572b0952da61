// gevent: cooperative fibers that fetch three pages side by side in one thread.
//
// The server is a thread of this program, on a port of the loopback interface. It knows three pages and takes a
// different time for each; it speaks the oldest and simplest form of HTTP (0.9): a line "GET /page", then the page
// until the connection ends. Its connections have a fiber each, too.
//
// A fiber whose socket is not ready lets the others run until it is: so it takes as long as the slowest page to fetch
// all, not the sum.

#include "options.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/hub/group.hpp>
#include <rt/io/tcp.hpp>
#include <rt/kernel/file.hpp>
#include <rt/thread/thread.hpp>

#include <algorithm>
#include <linux/fcntl.h>

using namespace std::chrono_literals;
using rt::Errc, rt::Result, rt::TcpListener, rt::TcpStream;

namespace {

struct Page {
  std::string_view path;
  std::chrono::milliseconds delay;
  std::size_t size;
};
constexpr Page pages[] = {{"/slow", 1000ms, 300'000}, {"/quick", 300ms, 20'000}, {"/large", 600ms, 1'000'000}};

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
std::string_view receive_line(TcpStream& connection, std::span<char> buffer) {
  std::size_t size = 0;
  std::string_view text;
  while (text.find('\n') == text.npos && size < buffer.size()) {
    const auto got = connection.read(buffer.subspan(size));
    if (!got || *got == 0) break;
    text = {buffer.data(), size += *got};
  }
  return text.substr(0, text.find('\r'));
}

void answer(TcpStream connection) {
  char buffer[4096];
  const std::string_view request = receive_line(connection, buffer);
  for (const Page& page : pages) {
    if (!request.starts_with("GET ") || request.substr(4) != page.path) continue;
    apps::pause(page.delay);
    std::ranges::fill(buffer, page.path[1]);
    for (std::size_t left = page.size; left != 0;) {
      const std::size_t piece = std::min(left, sizeof buffer);
      if (!connection.write(std::span(buffer, piece))) return; // the client has gone
      left -= piece;
    }
    return;
  }
  (void)connection.write("no such page\n");
}

void serve(TcpListener& listener) {
  rt::Group connections;
  while (auto connection = listener.accept()) connections.spawn(answer, std::move(*connection)).value();
}

// --- The client ------------------------------------------------------------------------------------------------------

std::chrono::milliseconds since(rt::Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(rt::Clock::now() - begin);
}

/// How many bytes the page has.
Result<std::size_t> fetch(const rt::Address& server, std::string_view path) {
  auto connection = TcpStream::connect(server);
  if (!connection) return connection.error();
  char buffer[4096];
  const std::size_t size = rt::format_to(buffer, "GET {}\r\n", path);
  if (const auto sent = connection->write(std::span(buffer, size)); !sent) return sent.error();
  for (std::size_t bytes = 0;;) {
    const auto got = connection->read(buffer);
    if (!got) return got.error();
    if (*got == 0) return bytes;
    bytes += *got;
  }
}

Result<std::size_t> report_fetch(const rt::Address& server, std::string_view path) {
  const auto begin = rt::Clock::now();
  rt::println("GET http://{}{}", server, path);
  const auto bytes = fetch(server, path);
  if (bytes)
    rt::println("{} bytes received from http://{}{} after {}", *bytes, server, path, since(begin));
  else
    rt::eprintln("18_gevent: cannot fetch http://{}{}: {}{}", server, path, bytes.error(),
                 bytes.error() == Errc::network_unreachable ? "; the loopback interface has to be up" : "");
  return bytes;
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "gevent: three pages of a server on the loopback, fetched side by side by fibers.");
  if (const auto status = options.finish()) return *status;

  occupy_standard_files();
  auto listener = TcpListener::listen(rt::Address::loopback(0));
  if (!listener) {
    rt::eprintln("18_gevent: cannot listen on the loopback interface: {}", listener.error());
    return 1;
  }
  const rt::Address address = listener->address();
  rt::Thread server({.name = "server"}, [&] { serve(*listener); });
  server.start().value();

  const auto begin = rt::Clock::now();
  rt::Fiber<Result<std::size_t>> fibers[std::size(pages)];
  for (std::size_t i = 0; i < std::size(pages); ++i) fibers[i] = rt::spawn(report_fetch, address, pages[i].path);
  rt::joinall(fibers).value();
  const auto time = since(begin);
  listener->shutdown().value();
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
