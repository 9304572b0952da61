// gevent: cooperative fibers that fetch three pages side by side in one thread.
//
// The server is a thread of this program, on a port of the loopback interface: an rt::http::Server, which has a fiber
// for each connection. It knows three pages and takes a different time for each.
//
// A fiber whose socket is not ready lets the others run until it is: so it takes as long as the slowest page to fetch
// all, not the sum. (Pages of https are for later: the library has no TLS yet.)

#include "options.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/io/http_client.hpp>
#include <rt/io/http_server.hpp>
#include <rt/io/tcp.hpp>
#include <rt/kernel/file.hpp>
#include <rt/thread/thread.hpp>

#include <linux/fcntl.h>

using namespace std::chrono_literals;
using rt::Errc, rt::Result;

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

void answer(rt::http::Request& request, rt::http::Reply& reply) {
  for (const Page& page : pages) {
    if (request.path() != page.path) continue;
    apps::pause(page.delay);
    return (void)reply.send(200, "text/plain", std::string(page.size, page.path[1]));
  }
  (void)reply.send(404, "text/plain", "no such page\n");
}

std::chrono::milliseconds since(rt::Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(rt::Clock::now() - begin);
}

/// How many bytes the page has.
Result<std::size_t> fetch(std::string_view url) {
  const auto begin = rt::Clock::now();
  rt::println("GET {}", url);
  const auto page = rt::http::get(url);
  if (page && page->status() == 200) {
    rt::println("{} bytes received from {} after {}", page->body().size(), url, since(begin));
    return page->body().size();
  }
  const bool down = page.error() == Errc::network_unreachable;
  rt::eprintln("18_gevent: cannot fetch {}: {}{}", url, page ? page->reason() : page.error().message(),
               down ? "; the loopback interface has to be up" : "");
  return page ? rt::Error{Errc::bad_message} : page.error();
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "gevent: three pages of a server on the loopback, fetched side by side by fibers.");
  if (const auto status = options.finish()) return *status;

  occupy_standard_files();
  auto listener = rt::TcpListener::listen(rt::Address::loopback(0));
  if (!listener) {
    rt::eprintln("18_gevent: cannot listen on the loopback interface: {}", listener.error());
    return 1;
  }
  rt::http::Server server(answer);
  rt::Thread thread({.name = "server"}, [&] { server.serve(*listener).value(); });
  thread.start().value();

  const auto begin = rt::Clock::now();
  char urls[std::size(pages)][64];
  rt::Fiber<Result<std::size_t>> fibers[std::size(pages)];
  for (std::size_t i = 0; i < std::size(pages); ++i) {
    const std::size_t size = rt::format_to(urls[i], "http://{}{}", listener->address(), pages[i].path);
    fibers[i] = rt::spawn(fetch, std::string_view(urls[i], size));
  }
  rt::joinall(fibers).value();
  const auto time = since(begin);
  server.stop();
  thread.join();

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
