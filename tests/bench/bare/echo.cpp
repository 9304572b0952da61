// A server that sends back what it is sent, a fiber for each connection, for tests/bench/echo.cpp. Prints its port.

#include <rt/base/print.hpp>
#include <rt/io/tcp.hpp>

namespace {

void serve(rt::TcpStream stream) {
  char buffer[4096];
  for (;;) {
    const auto got = stream.read(buffer);
    if (!got || *got == 0 || !stream.write(std::span(buffer, *got))) return;
  }
}

} // namespace

int main() {
  rt::TcpListener listener = rt::TcpListener::listen(rt::Address::loopback(0)).value();
  rt::println("{}", listener.address().port());
  rt::spawn([&] {
    while (auto stream = listener.accept()) rt::spawn(serve, std::move(*stream));
  }).join();
}
