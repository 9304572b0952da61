#include <rt/io/http_head.hpp>

#include <doctest/doctest.h>

#include <string>
#include <tuple>
#include <vector>

using namespace std::string_literals;
using rt::http::Fault, rt::http::Limits, rt::http::Progress, rt::http::RequestParser, rt::http::ResponseParser;

namespace {

const Limits limits;

Fault fault_of_request(const std::string& text, const Limits& limit = limits) {
  RequestParser parser(limit);
  const Progress progress = parser.parse(text);
  CHECK(progress == (parser.fault() == Fault::none ? Progress::complete : Progress::failed));
  return parser.fault();
}

Fault fault_of_response(const std::string& text) {
  ResponseParser parser(limits);
  const Progress progress = parser.parse(text);
  CHECK(progress == (parser.fault() == Fault::none ? Progress::complete : Progress::failed));
  return parser.fault();
}

// A request of this target.
std::string asking(const std::string& method, const std::string& target) {
  return method + " " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

// A request with these lines of fields.
std::string with(const std::string& lines) { return "POST / HTTP/1.1\r\nHost: h\r\n" + lines + "\r\n"; }

} // namespace

TEST_CASE("a request is taken apart") {
  const std::string text = "GET /a%20b/c?d=e&f=g?h HTTP/1.1\r\n"
                           "Host: example.org:8080\r\n"
                           "Accept:*/*\r\n"
                           "X-Empty:\r\n"
                           "X-Blanks: \t a  b \t \r\n"
                           "accept: text/html\r\n"
                           "\r\nBODY";
  RequestParser parser(limits);
  REQUIRE(parser.parse(text) == Progress::complete);
  CHECK(parser.size() == text.size() - 4);
  CHECK(parser.method() == "GET");
  CHECK(parser.target() == "/a%20b/c?d=e&f=g?h");
  CHECK(parser.path() == "/a%20b/c");
  CHECK(parser.query() == "d=e&f=g?h");
  CHECK(parser.authority() == "example.org:8080");
  CHECK(parser.minor_version() == 1);
  CHECK(parser.keep_alive());
  CHECK_FALSE(parser.chunked());
  CHECK_FALSE(parser.content_length());
  CHECK(parser.fields().find("ACCEPT") == "*/*");
  CHECK(parser.fields().find("x-empty") == "");
  CHECK(parser.fields().find("x-blanks") == "a  b");
  CHECK_FALSE(parser.fields().find("cookie"));
  CHECK(parser.fields().has_element("accept", "TEXT/html"));
  std::vector<std::string> names;
  for (const auto& field : parser.fields()) names.emplace_back(field.name);
  CHECK(names == std::vector<std::string>{"Host", "Accept", "X-Empty", "X-Blanks", "accept"});
}

TEST_CASE("a head may come byte by byte, and lie elsewhere each time") {
  const std::string text = "\r\nPUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nExpect: 100-Continue\r\n\r\n";
  RequestParser parser(limits);
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::vector<char> part(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
    REQUIRE(parser.parse({part.data(), part.size()}) == Progress::more);
  }
  REQUIRE(parser.parse(text) == Progress::complete);
  CHECK(parser.size() == text.size());
  CHECK(parser.method() == "PUT");
  CHECK(parser.path() == "/x");
  CHECK(parser.content_length() == 12);
  CHECK(parser.expects_continue());
  CHECK_FALSE(parser.expects_unknown());
}

TEST_CASE("targets have the four forms") {
  struct Row {
    std::string method, target, authority, path, query;
  };
  const Row rows[] = {
      {"GET", "/", "h", "/", ""},
      {"GET", "//x", "h", "//x", ""},
      {"GET", "/?", "h", "/", ""},
      {"GET", "/?a=/?", "h", "/", "a=/?"},
      {"OPTIONS", "*", "h", "*", ""},
      {"GET", "http://other:81/p?q", "other:81", "/p", "q"},
      {"GET", "HTTPS://[::1]:8443/p", "[::1]:8443", "/p", ""},
      {"GET", "http://other", "other", "", ""},
      {"GET", "http://other?q", "other", "", "q"},
      {"CONNECT", "other:443", "other:443", "", ""},
      {"CONNECT", "[::1]:443", "[::1]:443", "", ""},
      {"BREW", "/pot", "h", "/pot", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    const std::string text = asking(row.method, row.target);
    RequestParser parser(limits);
    REQUIRE(parser.parse(text) == Progress::complete);
    CHECK(parser.method() == row.method);
    CHECK(parser.target() == row.target);
    CHECK(parser.authority() == row.authority);
    CHECK(parser.path() == row.path);
    CHECK(parser.query() == row.query);
  }
}

TEST_CASE("a target that is none is refused") {
  const std::pair<std::string, std::string> rows[] = {
      {"GET", "*"},
      {"GET", "x"},
      {"GET", ""},
      {"GET", "/a b"},
      {"GET", "/a#b"},
      {"GET", "/%"},
      {"GET", "/%4"},
      {"GET", "/%zz"},
      {"GET", "/\x80"},
      {"GET", "/\x01"},
      {"GET", "/\\"},
      {"GET", "/\""},
      {"GET", "ftp://h/"},
      {"GET", "http:///"},
      {"GET", "http://:80/"},
      {"GET", "http://u@h/"},
      {"GET", "http://[::1/"},
      {"GET", "[::1]"},
      {"GET", "http://h/[x]"},
      {"CONNECT", "/"},
      {"CONNECT", "h"},
      {"CONNECT", "h:"},
      {"CONNECT", ":443"},
      {"CONNECT", "[::1]"},
      {"CONNECT", "h:66666"},
  };
  for (const auto& [method, target] : rows) {
    CAPTURE(target);
    CHECK(fault_of_request(asking(method, target)) == Fault::malformed);
  }
}

TEST_CASE("a first line that is none is refused") {
  const std::string rest = "\r\nHost: h\r\n\r\n";
  for (const std::string line :
       {"GET /", "GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "G@T / HTTP/1.1",
        "GET / http/1.1", "GET / HTTP/1", "GET / HTTP/1.", "GET / HTTP/1.11", "GET / HTTP/x.1", "GET / HTTP/1,1",
        "GET\t/ HTTP/1.1", "GET /\tHTTP/1.1", "GET", "\x16\x03\x01", "GET / HTTP/1.1\r", "GET /\r HTTP/1.1"}) {
    CAPTURE(line);
    CHECK(fault_of_request(line + rest) == Fault::malformed);
  }
  for (const std::string version : {"HTTP/0.9", "HTTP/2.0", "HTTP/3.0"})
    CHECK(fault_of_request("GET / " + version + rest) == Fault::version);
  CHECK(fault_of_request("GET / HTTP/1.1\nHost: h\r\n\r\n") == Fault::malformed);
  CHECK(fault_of_request("GET / HTTP/1.1\r\nHost: h\n\r\n") == Fault::malformed);
  CHECK(fault_of_request("GET / HTTP/1.1\r\nHost: h\r\n\n") == Fault::malformed);
}

TEST_CASE("what cannot become a request is refused before its line ends") {
  RequestParser parser(limits);
  CHECK(parser.parse("\x16\x03\x01\x02") == Progress::failed);
  ResponseParser response(limits);
  CHECK(response.parse("220 ftp") == Progress::failed);
}

TEST_CASE("a field that is none is refused") {
  for (const std::string line : {"Name", "Name : value", " Name: value", "\tfolded", ": value", "Na me: value",
                                 "Name\x01: value", "Name: a\x01", "Name: a\x7f", "Name: a\rb", "N\xc3\xa4me: value"}) {
    CAPTURE(line);
    CHECK(fault_of_request(with(line + "\r\n")) == Fault::malformed);
  }
  CHECK(fault_of_request(with("Name: a\0b\r\n"s)) == Fault::malformed);
  CHECK(fault_of_request(with("First: a\r\n folded\r\n")) == Fault::malformed);
  CHECK(fault_of_request(with("Name: \xc3\xa4\t!\r\n")) == Fault::none); // obs-text
}

TEST_CASE("bodies that two readers might take for different ones are refused") {
  const std::pair<std::string, Fault> rows[] = {
      {"Content-Length: 0\r\n", Fault::none},
      {"Content-Length: 0005\r\n", Fault::none},
      {"Content-Length: 5\r\nContent-Length: 6\r\n", Fault::malformed},
      {"Content-Length: 5\r\nContent-Length: 5\r\n", Fault::malformed},
      {"Content-Length: 5, 5\r\n", Fault::malformed},
      {"Content-Length: \r\n", Fault::malformed},
      {"Content-Length: +5\r\n", Fault::malformed},
      {"Content-Length: -5\r\n", Fault::malformed},
      {"Content-Length: 0x5\r\n", Fault::malformed},
      {"Content-Length: 5 5\r\n", Fault::malformed},
      {"Content-Length : 5\r\n", Fault::malformed},
      {"Content-Length: 67108865\r\n", Fault::body_too_large},
      {"Content-Length: 18446744073709551616\r\n", Fault::body_too_large},
      {"Transfer-Encoding: chunked\r\n", Fault::none},
      {"Transfer-Encoding: CHUNKED\r\n", Fault::none},
      {"Transfer-Encoding: , chunked ,\r\n", Fault::none},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", Fault::malformed},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Fault::malformed},
      {"Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", Fault::malformed},
      {"Transfer-Encoding: chunked, chunked\r\n", Fault::malformed},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Fault::malformed},
      {"Transfer-Encoding: chunked, gzip\r\n", Fault::malformed},
      {"Transfer-Encoding: gzip, chunked\r\n", Fault::coding},
      {"Transfer-Encoding: identity\r\n", Fault::coding},
      {"Transfer-Encoding: xchunked\r\n", Fault::coding},
      {"Transfer-Encoding: \"chunked\"\r\n", Fault::coding},
      {"Transfer-Encoding: chunked;a=b\r\n", Fault::coding},
      {"Transfer-Encoding:\r\n", Fault::malformed},
      {"Transfer-Encoding: \x0b"
       "chunked\r\n",
       Fault::malformed},
      {"Transfer-Encoding : chunked\r\n", Fault::malformed},
  };
  for (const auto& [lines, fault] : rows) {
    CAPTURE(lines);
    CHECK(fault_of_request(with(lines)) == fault);
    CHECK(fault_of_response("HTTP/1.1 200 OK\r\n" + lines + "\r\n") == fault);
  }
  CHECK(fault_of_request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == Fault::malformed);
}

TEST_CASE("a request names its host once") {
  CHECK(fault_of_request("GET / HTTP/1.1\r\n\r\n") == Fault::malformed);
  CHECK(fault_of_request("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n") == Fault::malformed);
  CHECK(fault_of_request("GET / HTTP/1.0\r\n\r\n") == Fault::none);
  CHECK(fault_of_request("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n") == Fault::malformed);
  for (const std::string host : {"", "a", "a.b:80", "127.0.0.1", "[::1]", "[::1]:80", "a:", "a-b_c%20d"})
    CHECK(fault_of_request("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n") == Fault::none);
  for (const std::string host :
       {"a b", "a/b", "a@b", "a:b", "a:80:80", "a:65536", "[::1", "[]", "[::g]", "::1", "a%2"}) {
    CAPTURE(host);
    CHECK(fault_of_request("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n") == Fault::malformed);
  }
}

TEST_CASE("connections are kept by default in HTTP/1.1, and in 1.0 when that is asked for") {
  const std::tuple<std::string, std::string, bool> rows[] = {
      {"1.1", "", true},
      {"1.1", "Connection: close\r\n", false},
      {"1.1", "Connection: upgrade, CLOSE\r\n", false},
      {"1.1", "Connection: x\r\nConnection: close\r\n", false},
      {"1.1", "Connection: closed\r\n", true},
      {"1.0", "", false},
      {"1.0", "Connection: Keep-Alive\r\n", true},
      {"1.0", "Connection: keep-alive, close\r\n", false},
      {"1.2", "", true},
  };
  for (const auto& [version, lines, kept] : rows) {
    CAPTURE(lines);
    const std::string text = "GET / HTTP/" + version + "\r\nHost: h\r\n" + lines + "\r\n";
    RequestParser parser(limits);
    REQUIRE(parser.parse(text) == Progress::complete);
    CHECK(parser.keep_alive() == kept);
  }
}

TEST_CASE("what is longer than a limit is refused, before all of it has come") {
  const Limits small{.line = 64, .head = 256, .fields = 3, .body = 10};
  const std::string long_text(65, 'a');
  RequestParser line(small), field(small);
  CHECK(line.parse("GET /" + long_text) == Progress::failed);
  CHECK(line.fault() == Fault::target_too_long);
  CHECK(field.parse("GET / HTTP/1.1\r\nName: " + long_text) == Progress::failed);
  CHECK(field.fault() == Fault::head_too_large);
  CHECK(fault_of_request("GET / HTTP/1.1\r\nHost: h\r\na: 1\r\nb: 2\r\n\r\n", small) == Fault::none);
  CHECK(fault_of_request("GET / HTTP/1.1\r\nHost: h\r\na: 1\r\nb: 2\r\nc: 3\r\n\r\n", small) == Fault::head_too_large);
  const std::string sixty = "a: " + std::string(57, 'a') + "\r\n";
  CHECK(fault_of_request("GET / HTTP/1.1\r\nHost: h\r\n" + sixty + sixty + "\r\n", small) == Fault::none);
  RequestParser head({small});
  std::string blank_lines;
  for (int i = 0; i < 128; ++i) blank_lines += "\r\n";
  CHECK(head.parse(blank_lines) == Progress::failed);
  CHECK(head.fault() == Fault::head_too_large);
  CHECK(fault_of_request("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n", small) == Fault::none);
  CHECK(fault_of_request("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", small) == Fault::body_too_large);
}

TEST_CASE("expectations that nobody knows are told apart") {
  const std::string text = with("Expect: something\r\n");
  RequestParser parser(limits);
  REQUIRE(parser.parse(text) == Progress::complete);
  CHECK(parser.expects_unknown());
  CHECK_FALSE(parser.expects_continue());
}

TEST_CASE("a response is taken apart") {
  const std::string text = "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
  ResponseParser parser(limits);
  REQUIRE(parser.parse(text) == Progress::complete);
  CHECK(parser.size() == text.size() - 3);
  CHECK(parser.status() == 404);
  CHECK(parser.reason() == "Not Found");
  CHECK(parser.content_length() == 3);
  CHECK_FALSE(parser.keep_alive());
  CHECK(parser.has_body());
}

TEST_CASE("status lines") {
  for (const std::string line : {"HTTP/1.1 200 OK", "HTTP/1.0 200 ", "HTTP/1.1 200", "HTTP/1.1 599 a\tb \xff"}) {
    CAPTURE(line);
    CHECK(fault_of_response(line + "\r\n\r\n") == Fault::none);
  }
  for (const std::string line : {"HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1  200 OK", "HTTP/1.1 099 x", "HTTP/1.1",
                                 "HTTP/1.1 2x0 OK", "HTTP/1.1 200\tOK", "HTTP/1.1 200 O\x01K", "ICY 200 OK", ""}) {
    CAPTURE(line);
    CHECK(fault_of_response(line + "\r\n\r\n") == Fault::malformed);
  }
  CHECK(fault_of_response("HTTP/2.0 200 OK\r\n\r\n") == Fault::version);
}
