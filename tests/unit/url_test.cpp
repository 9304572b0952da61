#include <rt/io/url.hpp>

#include <doctest/doctest.h>

using rt::Errc, rt::Url;

TEST_CASE("a URL is taken apart") {
  struct Row {
    const char *text, *host, *authority, *target;
    std::uint16_t port;
  };
  const Row rows[] = {
      {"http://example.org", "example.org", "example.org", "/", 80},
      {"HTTP://Example.ORG:80/", "example.org", "example.org", "/", 80},
      {"http://example.org:8080/a/b?c=d#e", "example.org", "example.org:8080", "/a/b?c=d", 8080},
      {"http://example.org?q", "example.org", "example.org", "/?q", 80},
      {"http://example.org:/x", "example.org", "example.org", "/x", 80},
      {"http://[::1]:81/%20", "::1", "[::1]:81", "/%20", 81},
      {"http://[2001:DB8::1]", "2001:db8::1", "[2001:db8::1]", "/", 80},
      {"https://h/x", "h", "h", "/x", 443},
      {"https://h:80/x", "h", "h:80", "/x", 80},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto url = Url::parse(row.text);
    REQUIRE(url);
    CHECK(url->host() == row.host);
    CHECK(url->authority() == row.authority);
    CHECK(url->target() == row.target);
    CHECK(url->port() == row.port);
  }
  CHECK(Url::parse("http://example.org:8080/a/b?c=d#e")->path() == "/a/b");
  CHECK(Url::parse("http://Example.org:80#x")->text() == "http://example.org/");
  CHECK(Url::parse("https://h")->secure());
}

TEST_CASE("what is no URL of a web server is refused") {
  for (const char* text : {"",
                           "/",
                           "example.org",
                           "//h/",
                           "http:",
                           "http:/",
                           "http://",
                           "http:///x",
                           "http://:80/",
                           "http:h",
                           "http://u@h/",
                           "http://u:p@h/",
                           "http://h:x/",
                           "http://h:65536/",
                           "http://h:0/",
                           "http://[::1/",
                           "http://[]/",
                           "http://a b/",
                           "http://h/a b",
                           "http://h/%",
                           "http://h/%1",
                           "http://h/\n",
                           "http://h/\xc3\xa4",
                           "http://h/#a#b",
                           "http://h\\x/",
                           "1http://h/",
                           "http://h/<",
                           "http://h:80:80/"}) {
    CAPTURE(text);
    CHECK(Url::parse(text).error() == Errc::invalid_argument);
  }
  CHECK(Url::parse("ftp://h/").error() == Errc::protocol_not_supported);
  CHECK(Url::parse("mailto:a").error() == Errc::protocol_not_supported);
}

TEST_CASE("references are resolved as RFC 3986 says in section 5.4") {
  const std::pair<const char*, const char*> rows[] = {
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},
      {"g#s", "http://a/b/c/g#s"},
      {"g?y#s", "http://a/b/c/g?y#s"},
      {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},
      {"g;x?y#s", "http://a/b/c/g;x?y#s"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"../../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {".g", "http://a/b/c/.g"},
      {"g..", "http://a/b/c/g.."},
      {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/./x", "http://a/b/c/g?y/./x"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"g#s/./x", "http://a/b/c/g#s/./x"},
      {"http:g", "http:g"},
  };
  for (const auto& [reference, expected] : rows) {
    CAPTURE(reference);
    CHECK(rt::resolve_reference("http://a/b/c/d;p?q", reference).value_or("error") == expected);
  }
  CHECK(rt::resolve_reference("http://a", "g").value_or("error") == "http://a/g");
  CHECK(rt::resolve_reference("http://a", "x:.//h/g").value_or("error") == "x:/.//h/g"); // h was no host before
  CHECK(rt::resolve_reference("/a", "g").error() == Errc::invalid_argument);
  CHECK(rt::resolve_reference("http://a", "1:2").error() == Errc::invalid_argument);
  CHECK(Url::parse("http://h:81/a/b?c")->resolve("../d?e#f")->text() == "http://h:81/d?e");
  CHECK(Url::parse("http://h/")->resolve("https://h/")->secure());
}

TEST_CASE("bytes in percents") {
  CHECK(rt::percent_decode("a%20b%2f%00%fF").value() == std::string_view("a b/\0\xff", 6));
  CHECK(rt::percent_decode("%").error() == Errc::invalid_argument);
  CHECK(rt::percent_decode("%0g").error() == Errc::invalid_argument);
  CHECK(rt::percent_encode_path("/a b/ä?") == "/a%20b/%C3%A4%3F");
}
