// A server of one line on one thread: `http PORT`. tests/bench/http.cpp measures it beside others.

#include <rt/base/print.hpp>
#include <rt/io/http_server.hpp>
#include <rt/io/tcp.hpp>

int main(int, char** argv) {
  std::uint16_t port = 0;
  for (const char* digit = argv[1]; digit && *digit; ++digit)
    port = static_cast<std::uint16_t>(port * 10 + (*digit - '0'));
  auto listener = rt::TcpListener::listen(rt::Address::loopback(port)).value();
  rt::http::Server server(
      [](rt::http::Request&, rt::http::Reply& reply) { (void)reply.send(200, "text/plain", "hello world\n"); });
  server.serve(listener).value();
}
