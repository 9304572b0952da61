#include "http_test.hpp"
#include "name_server.hpp"

#include <rt/io/http_client.hpp>
#include <rt/io/resolver.hpp>

#include <fstream>
#include <stdlib.h>

using namespace http_test;
using rt::Errc, rt::http::Client, rt::http::Field, rt::http::Reply, rt::http::Request;

namespace {

void tell(Request& request, Reply& reply) {
  const auto body = request.read_all();
  std::string text(request.method());
  text.append(" ").append(request.target()).append("\n");
  for (const Field& field : request.fields())
    if (!rt::http::equal_ignoring_case(field.name, "host"))
      text.append(field.name).append(": ").append(field.value).append("\n");
  text.append("\n").append(*body);
  (void)reply.field("X-Host", request.authority());
  (void)reply.send(200, "text/plain", text);
}

// A server that answers with this text, whatever is asked, and closes the connection.
auto says(const std::string& text) {
  return [text](rt::TcpStream& stream) {
    if (!read_head(stream).empty()) http_test::write(stream, text);
  };
}

Errc error_for(const std::string& answer, const rt::http::RequestOptions& options = {}) {
  const RawServer server(says(answer));
  return rt::http::get(server.url("/"), options).error().code;
}

std::string body_of(const std::string& answer) {
  const RawServer server(says(answer));
  const auto response = rt::http::get(server.url("/"));
  return response ? std::string(response->body()) : std::string(response.error().message());
}

} // namespace

TEST_CASE("get asks for a page and has its body") {
  RunningServer server(tell);
  const auto response = rt::http::get(server.url("/a?b"));
  REQUIRE(response);
  CHECK(response->status() == 200);
  CHECK(response->reason() == "OK");
  CHECK(response->body() == "GET /a?b\nUser-Agent: rt\nAccept: */*\n\n");
  CHECK(response->field("content-type") == "text/plain");
  CHECK(response->field("x-host") == "127.0.0.1:" + std::to_string(server.address.port()));
  CHECK(response->url().text() == server.url("/a?b"));
}

TEST_CASE("a request has the method, fields and body that it is given") {
  RunningServer server(tell);
  const Field fields[] = {{"X-One", "1"}, {"User-Agent", "test"}};
  const auto response = rt::http::request("PUT", server.url("/"), {.fields = fields, .body = "data", .type = "text/x"});
  REQUIRE(response);
  CHECK(response->body() ==
        "PUT /\nX-One: 1\nUser-Agent: test\nAccept: */*\nContent-Length: 4\nContent-Type: text/x\n\ndata");
  const auto head = rt::http::request("HEAD", server.url("/"));
  REQUIRE(head);
  CHECK(head->body() == "");
  CHECK(head->content_length() > 10u);
}

TEST_CASE("what could not stand in a request is refused before anything is sent") {
  for (const char* url : {"", "nonsense", "http:///x", "http://h:99999/", "http://user@h/", "http://h/a b"})
    CHECK(rt::http::get(url).error() == Errc::invalid_argument);
  CHECK(rt::http::get("https://127.0.0.1/").error() == Errc::protocol_not_supported);
  const std::string url = "http://127.0.0.1:1/";
  for (const Field& field :
       {Field{"a b", "c"}, Field{"a", "b\r\nc: d"}, Field{"Host", "h"}, Field{"Content-Length", "1"}})
    CHECK(rt::http::get(url, {.fields = {&field, 1}}).error() == Errc::invalid_argument);
  CHECK(rt::http::request("GET / HTTP/1.1\r\nX:", url).error() == Errc::invalid_argument);
  CHECK(rt::http::get(url).error() == Errc::connection_refused);
}

TEST_CASE("a client keeps connections, and uses them side by side") {
  RunningServer server(tell);
  Client client;
  for (int i = 0; i < 5; ++i) CHECK(client.get(server.url("/"))->status() == 200);
  CHECK(client.connects() == 1);
  std::vector<rt::Fiber<unsigned>> fibers;
  for (int i = 0; i < 10; ++i) fibers.push_back(rt::spawn([&] { return client.get(server.url("/"))->status(); }));
  for (auto& fiber : fibers) CHECK(fiber.join() == 200);
  CHECK(client.connects() <= 10);
  Client forgetful(0);
  for (int i = 0; i < 3; ++i) CHECK(forgetful.get(server.url("/"))->status() == 200);
  CHECK(forgetful.connects() == 3);
}

TEST_CASE("a kept connection that the server has closed is replaced") {
  // One request for each connection, which is said to be kept.
  RawServer server([](rt::TcpStream& stream) {
    if (!read_head(stream).empty()) http_test::write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  Client client;
  for (int i = 0; i < 3; ++i) {
    const auto response = client.get(server.url("/"));
    REQUIRE(response);
    CHECK(response->body() == "ok");
  }
  // The connection ends when the second request has been read.
  RawServer later([](rt::TcpStream& stream) {
    if (read_head(stream).empty()) return;
    http_test::write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    (void)read_head(stream);
  });
  for (int i = 0; i < 2; ++i) CHECK(client.get(later.url("/"))->body() == "ok");
  CHECK(later.connections == 2);
  CHECK(client.get(later.url("/"))->body() == "ok");
  CHECK(client.request("POST", later.url("/")).error() == Errc::end_of_file); // might have been done
}

TEST_CASE("bodies end by their length, their last chunk, or with the connection") {
  CHECK(body_of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc") == "abc");
  CHECK(body_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n1\r\nc\r\n0\r\nT: x\r\n\r\n") ==
        "abc");
  CHECK(body_of("HTTP/1.1 200 OK\r\n\r\nabc") == "abc");
  CHECK(body_of("HTTP/1.0 200 OK\r\n\r\nabc") == "abc");
  CHECK(body_of("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc") == "abc");
  CHECK(body_of("HTTP/1.1 204 No Content\r\n\r\nabc") == "");
  CHECK(body_of("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n") == "");
}

TEST_CASE("answers that are no good are errors") {
  CHECK(error_for("") == Errc::end_of_file);
  CHECK(error_for("HTTP/1.1 200") == Errc::end_of_file);
  CHECK(error_for("220 ready\r\n") == Errc::bad_message);
  CHECK(error_for("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc") == Errc::bad_message);
  CHECK(error_for("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n") == Errc::bad_message);
  CHECK(error_for("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n") == Errc::protocol_not_supported);
  CHECK(error_for("HTTP/2.0 200 OK\r\n\r\n") == Errc::protocol_not_supported);
  CHECK(error_for("HTTP/1.1 101 Switching\r\n\r\n") == Errc::bad_message);
  CHECK(error_for("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc") == Errc::end_of_file);
  CHECK(error_for("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n") == Errc::end_of_file);
  CHECK(error_for("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n") == Errc::bad_message);
  const rt::http::RequestOptions small{.limits = {.body = 10}};
  CHECK(error_for("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890", small) == Errc::message_size);
  CHECK(error_for("HTTP/1.1 200 OK\r\n\r\n01234567890", small) == Errc::message_size);
  CHECK(error_for("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890", small) ==
        Errc::message_size);
  std::string endless;
  for (int i = 0; i < 20; ++i) endless += "HTTP/1.1 102 Processing\r\n\r\n";
  CHECK(error_for(endless) == Errc::bad_message);
}

TEST_CASE("a server that does not answer, or stops in the middle, is left") {
  for (const std::string part : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"}) {
    rt::Event end;
    RawServer server([&](rt::TcpStream& stream) {
      (void)read_head(stream);
      http_test::write(stream, part);
      end.wait();
    });
    CHECK(rt::http::get(server.url("/"), {.stall_timeout = 30ms}).error() == Errc::timed_out);
    {
      rt::Timeout limit(30ms);
      CHECK(rt::http::get(server.url("/")).error() == Errc::timed_out);
    }
    end.set();
  }
}

TEST_CASE("the time for connecting begins with the question for the address") {
  RunningServer web(tell);
  std::atomic<bool> answers = false;
  dns_test::NameServer names([&](const dns_test::Asked& asked) -> std::vector<dns_test::Reply> {
    if (!answers) return {};
    if (asked.type != rt::dns::Type::a) return {asked.answer()};
    return {asked.answer().a("host.test", "127.0.0.1")};
  });
  char configuration[] = "/tmp/rt-resolv-XXXXXX";
  close(mkstemp(configuration));
  std::ofstream(configuration) << "nameserver " << names.address() << "\noptions timeout:30\n";
  rt::Resolver resolver({.hosts_file = "/dev/null", .configuration_file = configuration});
  Client client(4, &resolver);
  const std::string url = "http://host.test:" + std::to_string(web.address.port()) + "/";
  const auto begin = rt::Clock::now();
  CHECK(client.get(url, {.connect_timeout = 30ms}).error() == Errc::timed_out);
  CHECK(rt::Clock::now() - begin < 20s); // and not the name servers' time
  CHECK(names.questions() > 0);
  CHECK(client.connects() == 0);
  answers = true;
  const auto page = client.get(url, {.connect_timeout = generous});
  REQUIRE(page);
  CHECK(page->field("x-host") == url.substr(7, url.size() - 8));
  unlink(configuration);
}

TEST_CASE("redirects are followed, up to a limit") {
  RunningServer server([](Request& request, Reply& reply) {
    const std::string_view path = request.path();
    const auto redirect = [&](unsigned status, std::string_view to) {
      (void)reply.field("Location", to);
      (void)reply.send(status, "text/plain", "moved\n");
    };
    if (path == "/a/first") return redirect(302, "../second?x");
    if (path == "/second") return redirect(301, "/third#part");
    if (path == "/third") return redirect(307, "//" + std::string(request.authority()) + "/fourth");
    if (path == "/303") return redirect(303, "/end");
    if (path == "/308") return redirect(308, "/end");
    if (path == "/loop") return redirect(302, "/loop");
    if (path == "/https") return redirect(302, "https://127.0.0.1/");
    if (path == "/bad") return redirect(302, "http://[");
    if (path == "/nowhere") return (void)reply.send(302, "", "nowhere");
    tell(request, reply);
  });
  const auto response = rt::http::get(server.url("/a/first"));
  REQUIRE(response);
  CHECK(response->url().text() == server.url("/fourth"));
  CHECK(response->body().starts_with("GET /fourth\n"));
  CHECK(rt::http::request("POST", server.url("/303"), {.body = "x"})->body().starts_with("GET /end\n"));
  CHECK(rt::http::request("POST", server.url("/308"), {.body = "x"})->body().starts_with("POST /end\n"));
  CHECK(rt::http::get(server.url("/loop")).error() == Errc::too_many_redirects);
  CHECK(rt::http::get(server.url("/a/first"), {.redirects = 2}).error() == Errc::too_many_redirects);
  CHECK(rt::http::get(server.url("/a/first"), {.redirects = 3})->status() == 200);
  CHECK(rt::http::get(server.url("/loop"), {.redirects = 0})->status() == 302);
  CHECK(rt::http::get(server.url("/https")).error() == Errc::protocol_not_supported);
  CHECK(rt::http::get(server.url("/bad")).error() == Errc::bad_message);
  CHECK(rt::http::get(server.url("/nowhere"))->body() == "nowhere");
}

TEST_CASE("what tells who asks is not sent where a redirect leads to another server") {
  RunningServer other(tell);
  RunningServer server([&](Request& request, Reply& reply) {
    (void)reply.field("Location", request.path() == "/other" ? other.url("/") : std::string("/here"));
    if (request.path() == "/here") return tell(request, reply);
    (void)reply.send(302, "", "");
  });
  const Field fields[] = {{"Authorization", "secret"}, {"X-Other", "x"}};
  CHECK(rt::http::get(server.url("/same"), {.fields = fields})->body().find("secret") != std::string_view::npos);
  const auto response = rt::http::get(server.url("/other"), {.fields = fields});
  CHECK(response->body().find("secret") == std::string_view::npos);
  CHECK(response->body().find("X-Other: x") != std::string_view::npos);
}

TEST_CASE("a body is read piece by piece, and its connection is kept then") {
  const std::string large(1'000'000, 'x');
  RunningServer server([&](Request& request, Reply& reply) {
    if (request.path() == "/sized") return (void)reply.send(200, "", large);
    (void)reply.begin(200, "");
    for (std::size_t at = 0; at < large.size(); at += 1000) (void)reply.write(std::string_view(large).substr(at, 1000));
  });
  Client client;
  for (const char* path : {"/sized", "/chunked"}) {
    auto response = client.get(server.url(path), {.stream = true});
    REQUIRE(response);
    CHECK(response->body() == "");
    std::size_t size = 0;
    char piece[777];
    for (;;) {
      const auto got = response->read(piece);
      REQUIRE(got);
      if (*got == 0) break;
      CHECK(std::string_view(piece, *got).find_first_not_of('x') == std::string_view::npos);
      size += *got;
    }
    CHECK(size == large.size());
  }
  CHECK(client.connects() == 1);
  { auto left = client.get(server.url("/sized"), {.stream = true}); }
  CHECK(client.get(server.url("/chunked"))->body() == large);
  CHECK(client.connects() == 2);
}

TEST_CASE("the answer of a server that does not take the whole body is read") {
  RawServer server([](rt::TcpStream& stream) {
    (void)read_head(stream);
    http_test::write(stream, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    (void)stream.shutdown(rt::ShutDown::writing);
    char rest[4096];
    while (stream.read(rest).value_or(0u) != 0) {
    }
  });
  const std::string large(5'000'000, 'x');
  CHECK(rt::http::request("POST", server.url("/"), {.body = large})->status() == 413);
}
