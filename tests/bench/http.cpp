// Servers of a short text under wrk: rt::http::Server (a program of the bare profile, tests/bench/bare/http.cpp)
// against nginx, a loop over epoll(7) that looks for no more than the empty line, and Go. Each server has the first CPU
// for itself while it is measured, and wrk the second.

#include "measure.hpp"
#include "servers.hpp"

#include <cstring>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace {

constexpr int rt_port = 18431, epoll_port = 18432, nginx_port = 18433, go_port = 18434;

[[noreturn]] void serve_by_epoll(int port) {
  const sockaddr_in address = bench::loopback(port);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(listener, 1024) != 0)
    bench::fail("cannot listen");
  epoll_event event{EPOLLIN, {.fd = listener}}, events[256];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  const std::string_view answer =
      "HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 12:45:14 GMT\r\nContent-Type: text/plain\r\n"
      "Content-Length: 12\r\n\r\nhello world\n";
  for (;;) {
    const int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == listener) {
        while ((event.data.fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0)
          epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
        continue;
      }
      char request[4096];
      const ssize_t size = read(events[i].data.fd, request, sizeof request);
      const bool complete = size > 4 && memmem(request, static_cast<std::size_t>(size), "\r\n\r\n", 4);
      if (!complete || send(events[i].data.fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0)
        close(events[i].data.fd);
    }
  }
}

double microseconds_of(int port, int connections) {
  const std::string wrk = "taskset -c 1 wrk -t1 -d1s -c" + std::to_string(connections) +
                          " http://127.0.0.1:" + std::to_string(port) + "/ | awk '/Non-2xx|Socket errors/ {bad = 1} " +
                          "/Requests.sec/ && !bad {print 1000000 / $2}'";
  return bench::measured_by(wrk);
}

} // namespace

int main(int, char** argv) {
  std::string program = argv[0];
  const std::string suffix = "/hosted/tests/bench/http", go = bench::beside_this_program("web");
  program.replace(program.rfind(suffix), suffix.size(), "/bare/tests/bench/bare/http");
  bench::Servers servers;
  servers.start(rt_port, [&] { execl(program.c_str(), "http", std::to_string(rt_port).c_str(), nullptr); });
  servers.start(epoll_port, [] { serve_by_epoll(epoll_port); });
  servers.start_nginx(nginx_port, "location / { return 200 \"hello world\\n\"; }");
  servers.start(go_port, [&] { execl(go.c_str(), "web", std::to_string(go_port).c_str(), nullptr); });
  for (const int connections : {50, 500})
    bench::compare(
        (std::to_string(connections) + " connections kept alive, each with one request at a time").c_str(),
        "us for a request",
        {{"raw epoll", [&] { return microseconds_of(epoll_port, connections); }},
         {"rt::http::Server", [&] { return microseconds_of(rt_port, connections); }, bench::at_most_of_the_first(1)},
         {"nginx", [&] { return microseconds_of(nginx_port, connections); }},
         {"Go net/http", [&] { return microseconds_of(go_port, connections); }}},
        5);
}
