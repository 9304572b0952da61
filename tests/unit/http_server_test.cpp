#include "http_test.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace http_test;
using rt::Errc, rt::http::Reply, rt::http::Request, rt::http::ServerOptions;

namespace {

void hello(Request&, Reply& reply) { (void)reply.send(200, "text/plain", "hello\n"); }

void echo(Request& request, Reply& reply) {
  const auto body = request.read_all();
  if (body)
    (void)reply.send(200, "text/plain", *body);
  else
    (void)reply.send(400, "text/plain", body.error().message());
}

const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string last_get = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
const std::string hello_reply = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";
const std::string last_hello_reply =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";

// What comes back for a text, until the server closes.
std::string answer_to(const RunningServer& server, std::string_view text) {
  RawClient client(server.address);
  client.send(text);
  return without_date(client.read_all());
}

bool serves(const RunningServer& server) { return answer_to(server, last_get) == last_hello_reply; }

} // namespace

TEST_CASE("an HTTP server answers one request after the other on a connection") {
  RunningServer server(hello);
  RawClient client(server.address);
  for (int i = 0; i < 3; ++i) {
    client.send(get);
    CHECK(without_date(client.read_until("hello\n")) == hello_reply);
  }
  client.send(last_get);
  CHECK(without_date(client.read_all()) == last_hello_reply);
  CHECK(server.server.requests() == 4);
}

TEST_CASE("an HTTP server answers requests that come together, in order") {
  RunningServer server([](Request& request, Reply& reply) {
    if (request.path() == "/slow") rt::sleep_for(20ms);
    (void)reply.send(200, "", request.target());
  });
  std::string all;
  for (int i = 0; i < 50; ++i)
    all += (i % 10 == 0 ? "GET /slow?" : "GET /quick?") + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  all += "GET /end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  const std::string answers = answer_to(server, all);
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    const std::string wanted = (i % 10 == 0 ? "/slow?" : "/quick?") + std::to_string(i) + "HTTP/1.1 200";
    const std::size_t found = answers.find(wanted, at);
    REQUIRE(found != answers.npos);
    at = found;
  }
  CHECK(answers.ends_with("/end"));
}

TEST_CASE("a head that comes byte by byte is as good as any") {
  RunningServer server(hello);
  RawClient client(server.address);
  for (const char c : last_get) {
    client.send({&c, 1});
    rt::yield();
  }
  CHECK(without_date(client.read_all()) == last_hello_reply);
}

TEST_CASE("what is no HTTP is refused with the status that says why, and the connection closed") {
  ServerOptions options;
  options.limits = {.line = 100, .head = 300, .fields = 5, .body = 50};
  RunningServer server(options, echo);
  const std::pair<std::string, std::string> rows[] = {
      {"nonsense\r\n\r\n", "400 Bad Request"},
      {"GET / HTTP/1.1\r\n\r\n", "400 Bad Request"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "400 Bad Request"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 51\r\n\r\n", "413 Content Too Large"},
      {"GET /" + std::string(200, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", "414 URI Too Long"},
      {"GET / HTTP/1.1\r\nHost: h\r\nName: " + std::string(200, 'a'), "431 Request Header Fields Too Large"},
      {"GET / HTTP/1.1\r\nHost: h\r\na:\r\nb:\r\nc:\r\nd:\r\ne:\r\n\r\n", "431 Request Header Fields Too Large"},
      {"BREW / HTTP/1.1\r\nHost: h\r\n\r\n", "501 Not Implemented"},
      {"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", "501 Not Implemented"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501 Not Implemented"},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "505 HTTP Version Not Supported"},
      {"GET / HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\n\r\n", "417 Expectation Failed"},
  };
  for (const auto& [text, status] : rows) {
    CAPTURE(text);
    const std::string answer = answer_to(server, text + "GET / HTTP/1.1\r\nHost: smuggled\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 " + status + "\r\n"));
    CHECK(answer.find("Connection: close\r\n") != answer.npos);
    CHECK(answer.ends_with("\r\n\r\n" + status + "\n")); // and no second answer
  }
}

TEST_CASE("bodies with a length and in chunks reach the handler") {
  RunningServer server(echo);
  RawClient client(server.address);
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\n";
  const std::string large(300'000, 'x');
  for (const std::string& body : {std::string("hello"), std::string(), large}) {
    client.send(head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    const std::string answer = client.read_until("\r\n\r\n");
    CHECK(answer.find("Content-Length: " + std::to_string(body.size()) + "\r\n") != answer.npos);
    CHECK((body.empty() || client.read_until(body) == body));
  }
  client.send(head + "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhel");
  rt::yield();
  client.send("lo\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n" + last_get);
  CHECK(client.read_until("\r\n\r\n").find("Content-Length: 11\r\n") != std::string::npos);
  CHECK(client.read_until("hello world") == "hello world");
  CHECK(without_date(client.read_all()).ends_with("Content-Length: 0\r\nConnection: close\r\n\r\n"));
}

TEST_CASE("a body that is no good ends the connection, and the handler is told") {
  RunningServer server(echo);
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(answer_to(server, head + "5\r\nhelloX").find("bad message") != std::string::npos);
  CHECK(answer_to(server, head + "ffffffff\r\nhello").find("message too long") != std::string::npos);
  RawClient breaks_off(server.address);
  breaks_off.send(head + "5\r\nhe");
  (void)breaks_off.stream.shutdown(rt::ShutDown::writing);
  CHECK(breaks_off.read_all().find("end of file") != std::string::npos);
}

TEST_CASE("a body that the handler does not read is read away when it is small, else the connection ends") {
  RunningServer server(hello);
  RawClient client(server.address);
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789" + last_get);
  CHECK(without_date(client.read_all()) == hello_reply + last_hello_reply);
  RawClient large(server.address);
  large.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
  auto sender = rt::spawn([&] {
    const std::string piece(100'000, 'x');
    for (int i = 0; i < 10; ++i)
      if (!large.stream.write(std::span(piece))) return;
  });
  CHECK(without_date(large.read_all()) == hello_reply);
  sender.join();
}

TEST_CASE("100 Continue is sent to who waits for it, when the body is wanted") {
  RunningServer server([](Request& request, Reply& reply) {
    if (request.path() == "/no") return (void)reply.send(403, "", "no");
    echo(request, reply);
  });
  RawClient wanted(server.address);
  wanted.send("POST /yes HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(wanted.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  wanted.send("ok");
  CHECK(without_date(wanted.read_until("ok")).starts_with("HTTP/1.1 200 OK\r\n"));
  const std::string refused =
      answer_to(server, "POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(refused == "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
}

TEST_CASE("answers are written in pieces: in chunks, with a length, and to the end of the connection") {
  RunningServer server([](Request& request, Reply& reply) {
    const bool sized = request.path() == "/sized";
    CHECK(reply.begin(200, "text/plain", sized ? std::optional<std::uint64_t>(8) : std::nullopt));
    CHECK(reply.write("abc"));
    CHECK(reply.write(""));
    CHECK(reply.write("defgh"));
    if (sized) CHECK(reply.write("i").error() == Errc::invalid_argument);
  });
  RawClient client(server.address);
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
  client.send(get);
  CHECK(without_date(client.read_until("0\r\n\r\n")) ==
        head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n");
  client.send("GET /sized HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(without_date(client.read_until("defgh")) == head + "Content-Length: 8\r\n\r\nabcdefgh");
  client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(without_date(client.read_until("\r\n\r\n")) == head + "Transfer-Encoding: chunked\r\n\r\n");
  client.send("GET / HTTP/1.0\r\n\r\n");
  CHECK(without_date(client.read_all()) == head + "Connection: close\r\n\r\nabcdefgh");
}

TEST_CASE("an answer that is shorter than promised ends the connection") {
  RunningServer server([](Request&, Reply& reply) {
    CHECK(reply.begin(200, "", 10));
    CHECK(reply.write("abc"));
  });
  CHECK(answer_to(server, get + get).ends_with("Content-Length: 10\r\n\r\nabc"));
}

TEST_CASE("HEAD, 204 and 304 have no body; no answer at all is 500") {
  RunningServer server([](Request& request, Reply& reply) {
    if (request.path() == "/head") (void)reply.send(200, "text/plain", "hello\n");
    if (request.path() == "/204") (void)reply.send(204, "text/plain", "hello\n");
    if (request.path() == "/304") (void)reply.send(304, "text/plain", "hello\n");
  });
  CHECK(answer_to(server, "HEAD /head HTTP/1.1\r\nHost: h\r\n\r\n"
                          "GET /204 HTTP/1.1\r\nHost: h\r\n\r\n"
                          "GET /304 HTTP/1.1\r\nHost: h\r\n\r\n"
                          "GET /none HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") ==
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\n"
        "HTTP/1.1 204 No Content\r\n\r\n"
        "HTTP/1.1 304 Not Modified\r\n\r\n"
        "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\nContent-Length: 26\r\nConnection: "
        "close\r\n\r\n500 Internal Server Error\n");
}

TEST_CASE("nothing that a handler gives can break out of a field") {
  RunningServer server([](Request&, Reply& reply) {
    CHECK(reply.field("X-Good", "a b"));
    CHECK(reply.field("X-Bad", "a\r\nSet-Cookie: b").error() == Errc::invalid_argument);
    CHECK(reply.field("X Bad", "a").error() == Errc::invalid_argument);
    CHECK(reply.field("Content-Length", "5").error() == Errc::invalid_argument);
    CHECK(reply.send(200, "text/plain\r\nX: y", "").error() == Errc::invalid_argument);
    CHECK(reply.send(100, "", "").error() == Errc::invalid_argument);
    CHECK(reply.send(200, "", "x"));
    CHECK(reply.send(200, "", "x").error() == Errc::already_started);
    CHECK(reply.field("X-Late", "").error() == Errc::invalid_argument);
  });
  CHECK(answer_to(server, last_get) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\nX-Good: a b\r\n\r\nx");
}

TEST_CASE("a file, or a part of one, is sent") {
  std::FILE* const file = std::tmpfile();
  REQUIRE(file);
  std::string text;
  for (int i = 0; i < 400'000; ++i) text += static_cast<char>('a' + i % 23);
  text.back() = '!';
  REQUIRE(std::fwrite(text.data(), 1, text.size(), file) == text.size());
  std::fflush(file);
  RunningServer server([&](Request& request, Reply& reply) {
    if (request.path() == "/part") return (void)reply.send_file(206, "", fileno(file), 100, 50);
    if (request.path() == "/long") return (void)reply.send_file(200, "", fileno(file), 0, text.size() + 1);
    CHECK(reply.send_file(200, "text/plain", fileno(file), 0, text.size()));
  });
  RawClient client(server.address);
  client.send(get);
  CHECK(client.read_until("\r\n\r\n").find("Content-Length: 400000\r\n") != std::string::npos);
  CHECK((client.read_until("!") == text)); // what differs is too long to be shown
  client.send("GET /part HTTP/1.1\r\nHost: h\r\n\r\n");
  (void)client.read_until("\r\n\r\n");
  CHECK(client.read_exactly(50) == text.substr(100, 50));
  client.send("GET /long HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(client.read_all().size() < text.size() + 400); // it breaks off, as the promise cannot be kept
  std::fclose(file);
}

TEST_CASE("who sends a head too slowly gets 408, and who sends nothing is left after a while") {
  ServerOptions options;
  options.head_timeout = 50ms;
  options.idle_timeout = 100ms;
  RunningServer server(options, hello);
  RawClient idle(server.address);
  RawClient slow(server.address);
  auto dripping = rt::spawn([&] {
    for (const char c : get) {
      if (!slow.stream.write({&c, 1})) return;
      rt::sleep_for(20ms);
    }
  });
  CHECK(slow.read_all().starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  CHECK(idle.read_all() == "");
  dripping.join();
}

TEST_CASE("clients that take nothing, go away, reset or send garbage leave the server serving others") {
  ServerOptions options;
  options.stall_timeout = 100ms;
  bool large_failed = false;
  const std::string large(20'000'000, 'x');
  RunningServer server(options, [&](Request& request, Reply& reply) {
    if (request.path() != "/large") return hello(request, reply);
    large_failed = reply.send(200, "", large).error() == Errc::timed_out;
  });
  RawClient reads_nothing(server.address);
  reads_nothing.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  RawClient half_closed(server.address);
  half_closed.send(get);
  (void)half_closed.stream.shutdown(rt::ShutDown::writing);
  CHECK(without_date(half_closed.read_all()) == hello_reply);
  for (int i = 0; i < 20; ++i) {
    RawClient resets(server.address);
    resets.send(i % 2 ? get : get.substr(0, 10));
    const linger at_once{1, 0};
    setsockopt(resets.stream.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  std::uint32_t random = 1;
  for (int i = 0; i < 50; ++i) {
    RawClient garbage(server.address);
    std::string text;
    for (int n = 0; n < 200; ++n) text += static_cast<char>((random = random * 1664525 + 1013904223) >> 24);
    (void)garbage.stream.write(std::span(text));
    CHECK(serves(server));
  }
  rt::Timeout limit(generous);
  while (!large_failed && rt::sleep_for(10ms)) CHECK(serves(server));
  CHECK(large_failed);
}

TEST_CASE("stop lets requests that run end, closes idle connections, and takes no more") {
  rt::Event began, go_on;
  RunningServer server([&](Request&, Reply& reply) {
    began.set();
    go_on.wait();
    (void)reply.send(200, "text/plain", "hello\n");
  });
  RawClient idle(server.address), busy(server.address);
  busy.send(get);
  began.wait();
  server.server.stop();
  CHECK(idle.read_all() == "");
  CHECK_FALSE(rt::TcpStream::connect(server.address, generous));
  go_on.set();
  CHECK(without_date(busy.read_all()) == last_hello_reply);
  CHECK(server.join().ok());
  CHECK(server.server.connections() == 0);
}

TEST_CASE("stop may come from another thread, or before serve") {
  auto server = std::make_unique<RunningServer>(hello);
  CHECK(serves(*server));
  rt::Thread stopper([&] { server->server.stop(); });
  stopper.start().value();
  CHECK(server->join().ok());
  stopper.join();
  auto listener = rt::TcpListener::listen(rt::Address::loopback(0)).value();
  rt::http::Server stopped(hello);
  stopped.stop();
  CHECK(stopped.serve(listener));
}

TEST_CASE("requests that do not end after stop are canceled") {
  ServerOptions options;
  options.stop_timeout = 50ms;
  rt::Event began;
  Errc how = Errc::none;
  RunningServer server(options, [&](Request&, Reply&) {
    began.set();
    how = rt::sleep_for(generous).error().code;
  });
  RawClient client(server.address);
  client.send(get);
  began.wait();
  server.server.stop();
  CHECK(server.join().ok());
  CHECK(how == Errc::canceled);
}

TEST_CASE("when there are as many connections as there may be, the one idle for longest makes room") {
  ServerOptions options;
  options.connections = 3;
  RunningServer server(options, hello);
  RawClient first(server.address), second(server.address), third(server.address);
  for (RawClient* client : {&first, &second, &third}) {
    client->send(get);
    CHECK(without_date(client->read_until("hello\n")) == hello_reply);
  }
  CHECK(serves(server));
  CHECK(first.read_all() == "");
  third.send(last_get);
  CHECK(without_date(third.read_all()) == last_hello_reply);
}
