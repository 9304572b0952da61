#pragma once
// URLs of http and https, and the generic syntax of URIs that they are written in (RFC 3986).

#include <rt/base/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rt {

/// The parts of a URI or of a relative reference (RFC 3986, sections 3 and 4.1), as they are written. What is not there
/// differs from what is empty: "//h?" has an empty query and no fragment.
struct UriParts {
  std::optional<std::string_view> scheme;
  std::optional<std::string_view> authority; ///< [ userinfo "@" ] host [ ":" port ]
  std::string_view path;
  std::optional<std::string_view> query;
  std::optional<std::string_view> fragment;
};
/// invalid_argument: a character that no URI has, or a '%' without two hexadecimal digits.
Result<UriParts> split_uri(std::string_view text);

/// What a reference means in a document (RFC 3986, section 5.2). The base needs a scheme. invalid_argument.
Result<std::string> resolve_reference(std::string_view base, std::string_view reference);

/// The path without "." and ".." (RFC 3986, section 5.2.4).
std::string remove_dot_segments(std::string_view path);

/// With each %xx replaced by its byte. invalid_argument: a '%' without two hexadecimal digits.
Result<std::string> percent_decode(std::string_view text);
/// With all bytes but the unreserved ones and '/' as %xx: for a path.
std::string percent_encode_path(std::string_view path);

/// An absolute URL of a web server.
class Url {
 public:
  /// invalid_argument: not a URL, one without a host, or with a user's name, which does not belong into a request.
  /// protocol_not_supported: of another scheme than http and https.
  static Result<Url> parse(std::string_view text);

  /// "https": what goes through TLS.
  bool secure() const { return secure_; }
  /// In lower case, without the brackets of an IPv6 address: "example.org", "::1".
  std::string_view host() const { return host_; }
  /// The one given or that of the scheme, 80 or 443.
  std::uint16_t port() const { return port_; }
  /// As in Host: "example.org", "[::1]:8080"; without the scheme's own port.
  std::string_view authority() const { return authority_; }
  /// What is asked of the server: path and query, "/" at least.
  std::string_view target() const { return target_; }
  /// Without the query, still encoded.
  std::string_view path() const { return target().substr(0, target_.find('?')); }
  /// The whole, without a fragment.
  std::string text() const;

  /// Where a reference in this place leads, of a redirect, say. As parse.
  Result<Url> resolve(std::string_view reference) const;

  friend bool same_origin(const Url& a, const Url& b) {
    return a.secure_ == b.secure_ && a.port_ == b.port_ && a.host_ == b.host_;
  }

 private:
  std::string host_, authority_, target_;
  std::uint16_t port_ = 0;
  bool secure_ = false;
};

} // namespace rt
