// A web server and its clients in the fibers of one thread, without libc.

#include "check.hpp"

#include <rt/io/http_client.hpp>
#include <rt/io/http_server.hpp>
#include <rt/io/tcp.hpp>

using namespace std::chrono_literals;

namespace {

std::string url(const rt::TcpListener& listener, std::string_view path) {
  char text[64];
  return {text, rt::format_to(text, "http://{}{}", listener.address(), path)};
}

} // namespace

RT_CASE("many clients fetch pages of a server, by length and in chunks") {
  auto listener = rt::TcpListener::listen(rt::Address::loopback(0)).value();
  const std::string large(200'000, 'x');
  rt::http::Server server([&](rt::http::Request& request, rt::http::Reply& reply) {
    if (request.path() == "/echo") return (void)reply.send(200, "text/plain", request.read_all().value());
    if (request.path() == "/sized") return (void)reply.send(200, "text/plain", large);
    (void)reply.begin(200, "text/plain");
    for (std::size_t at = 0; at < large.size(); at += 10'000) (void)reply.write({large.data() + at, 10'000});
  });
  auto serving = rt::spawn([&] { return server.serve(listener); });
  rt::http::Client client;
  std::vector<rt::Fiber<bool>> fibers;
  for (int i = 0; i < 20; ++i)
    fibers.push_back(rt::spawn([&, i] {
      const auto page = client.get(url(listener, i % 2 == 0 ? "/sized" : "/chunked"));
      return page && page->status() == 200 && page->body() == large;
    }));
  for (auto& fiber : fibers) CHECK(fiber.join());
  const auto echo = client.request("POST", url(listener, "/echo"), {.body = "hello", .type = "text/plain"});
  CHECK(echo && echo->body() == "hello" && echo->field("date"));
  CHECK(client.get(url(listener, "/"), {.limits = {.body = 1000}}).error() == rt::Errc::message_size);
  CHECK(rt::http::get("https://127.0.0.1/").error() == rt::Errc::protocol_not_supported);
  server.stop();
  CHECK(serving.join().ok());
  CHECK(server.requests() == 22);
}

RT_CASE("a server closes who sends no HTTP, and who is silent for too long") {
  auto listener = rt::TcpListener::listen(rt::Address::loopback(0)).value();
  rt::http::ServerOptions options;
  options.idle_timeout = 50ms;
  rt::http::Server server(options, [](rt::http::Request&, rt::http::Reply& reply) { (void)reply.send(204, "", ""); });
  auto serving = rt::spawn([&] { return server.serve(listener); });
  auto silent = rt::TcpStream::connect(listener.address()).value(),
       garbage = rt::TcpStream::connect(listener.address()).value();
  CHECK(garbage.write("\x16\x03\x01").ok());
  char buffer[512];
  const std::size_t size = garbage.read(buffer).value();
  CHECK(std::string_view(buffer, size).starts_with("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(silent.read(buffer).value() == 0);
  CHECK(rt::http::get(url(listener, "/"))->status() == 204);
  server.stop();
  CHECK(serving.join().ok());
}
