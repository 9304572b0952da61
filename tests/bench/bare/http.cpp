// A server of one line on one thread: `http PORT`. tests/bench/http.cpp measures it beside others.

#include <rt/base/print.hpp>
#include <rt/io/fd.hpp>
#include <rt/io/http_server.hpp>
#include <rt/kernel/socket.hpp>

int main(int, char** argv) {
  std::uint16_t port = 0;
  for (const char* digit = argv[1]; digit && *digit; ++digit)
    port = static_cast<std::uint16_t>(port * 10 + (*digit - '0'));
  const rt::Fd listener(rt::kernel::make_tcp_socket(rt::kernel::Blocking::no).value());
  rt::kernel::bind_socket(listener.number(), {.port = port}).value();
  rt::kernel::listen_on_socket(listener.number(), 1024).value();
  rt::http::Server server(
      [](rt::http::Request&, rt::http::Reply& reply) { (void)reply.send(200, "text/plain", "hello world\n"); });
  server.serve(listener.number()).value();
}
