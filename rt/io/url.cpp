#include <rt/io/url.hpp>

#include <rt/io/http_head.hpp>

namespace rt {
namespace {

using http::is;

constexpr bool is_letter(char c) { return http::to_lower(c) >= 'a' && http::to_lower(c) <= 'z'; }

/// ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
constexpr bool is_scheme(std::string_view text) {
  if (text.empty() || !is_letter(text.front())) return false;
  for (const char c : text)
    if (!is_letter(c) && !is(c, http::digit) && c != '+' && c != '-' && c != '.') return false;
  return true;
}

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = http::to_lower(c);
  return lower;
}

std::string joined(const UriParts& parts) {
  std::string text;
  if (parts.scheme) text.append(*parts.scheme).append(":");
  if (parts.authority) text.append("//").append(*parts.authority);
  if (!parts.authority && parts.path.starts_with("//")) text.append("/."); // it would be taken for an authority
  text.append(parts.path);
  if (parts.query) text.append("?").append(*parts.query);
  if (parts.fragment) text.append("#").append(*parts.fragment);
  return text;
}

} // namespace

Result<UriParts> split_uri(std::string_view text) {
  UriParts parts;
  if (const std::size_t mark = text.find('#'); mark != text.npos) {
    parts.fragment = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  if (const std::size_t mark = text.find('?'); mark != text.npos) {
    parts.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  if (const std::size_t colon = text.find(':'); colon != text.npos && is_scheme(text.substr(0, colon))) {
    parts.scheme = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  } else if (colon < text.find('/')) {
    return Errc::invalid_argument; // a first segment with a colon would be taken for a scheme
  }
  if (text.starts_with("//")) {
    const std::size_t end = std::min(text.find('/', 2), text.size());
    parts.authority = text.substr(2, end - 2);
    text.remove_prefix(end);
  }
  parts.path = text;
  for (const std::string_view part : {parts.path, parts.query.value_or(""), parts.fragment.value_or("")})
    if (http::prefix_of(part, http::uri) != part.size() || !http::has_good_escapes(part)) return Errc::invalid_argument;
  if (parts.authority) {
    const std::size_t at = parts.authority->rfind('@');
    const std::size_t host = at == parts.authority->npos ? 0 : at + 1;
    const std::string_view user = parts.authority->substr(0, host == 0 ? 0 : at);
    if (user.find_first_of("/?@") != user.npos || http::prefix_of(user, http::uri) != user.size() ||
        !http::has_good_escapes(user) || !http::is_authority(parts.authority->substr(host)))
      return Errc::invalid_argument;
  }
  return parts;
}

std::string remove_dot_segments(std::string_view path) {
  std::string out;
  const auto remove_last_segment = [&] { out.resize(out.rfind('/') == out.npos ? 0 : out.rfind('/')); };
  while (!path.empty()) {
    if (path.starts_with("../")) {
      path.remove_prefix(3);
    } else if (path.starts_with("./") || path.starts_with("/./")) {
      path.remove_prefix(2);
    } else if (path == "/.") {
      path = "/";
    } else if (path.starts_with("/../")) {
      path.remove_prefix(3);
      remove_last_segment();
    } else if (path == "/..") {
      path = "/";
      remove_last_segment();
    } else if (path == "." || path == "..") {
      path = {};
    } else {
      const std::size_t end = std::min(path.find('/', 1), path.size());
      out.append(path.substr(0, end));
      path.remove_prefix(end);
    }
  }
  return out;
}

Result<std::string> resolve_reference(std::string_view base, std::string_view reference) {
  const auto from = split_uri(base), to = split_uri(reference);
  if (!from) return from.error();
  if (!to) return to.error();
  if (!from->scheme) return Errc::invalid_argument;
  UriParts target = *to;
  std::string path;
  if (to->scheme || to->authority) {
    path = remove_dot_segments(to->path);
    if (!to->scheme) target.scheme = from->scheme;
  } else {
    target.scheme = from->scheme;
    target.authority = from->authority;
    if (to->path.empty()) {
      path = from->path;
      if (!to->query) target.query = from->query;
    } else if (to->path.front() == '/') {
      path = remove_dot_segments(to->path);
    } else {
      // Section 5.2.3: beside the base's last segment.
      if (from->authority && from->path.empty())
        path = "/";
      else
        path = from->path.substr(0, from->path.rfind('/') + 1);
      path = remove_dot_segments(path.append(to->path));
    }
  }
  target.path = path;
  return joined(target);
}

Result<std::string> percent_decode(std::string_view text) {
  if (!http::has_good_escapes(text)) return Errc::invalid_argument;
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    decoded.push_back(static_cast<char>(http::value_of_digit(text[i + 1]) << 4 | http::value_of_digit(text[i + 2])));
    i += 2;
  }
  return decoded;
}

std::string percent_encode_path(std::string_view path) {
  std::string encoded;
  for (const char c : path) {
    if (is_letter(c) || is(c, http::digit) || std::string_view("-._~/").find(c) != std::string_view::npos) {
      encoded.push_back(c);
      continue;
    }
    constexpr std::string_view digits = "0123456789ABCDEF";
    encoded.push_back('%');
    encoded.push_back(digits[static_cast<unsigned char>(c) >> 4]);
    encoded.push_back(digits[c & 15]);
  }
  return encoded;
}

Result<Url> Url::parse(std::string_view text) {
  const auto parts = split_uri(text);
  if (!parts) return parts.error();
  if (!parts->scheme) return Errc::invalid_argument;
  Url url;
  url.secure_ = http::equal_ignoring_case(*parts->scheme, "https");
  if (!url.secure_ && !http::equal_ignoring_case(*parts->scheme, "http")) return Errc::protocol_not_supported;
  if (!parts->authority || parts->authority->find('@') != std::string_view::npos) return Errc::invalid_argument;

  const std::string lower = in_lower_case(*parts->authority);
  const std::string_view authority = lower;
  const std::size_t bracket = authority.find(']');
  const std::size_t colon = authority.find(':', bracket == authority.npos ? 0 : bracket);
  const std::string_view host = authority.substr(0, colon);
  if (host.empty()) return Errc::invalid_argument;
  const std::uint16_t usual = url.secure_ ? 443 : 80;
  unsigned port = 0;
  if (colon != authority.npos)
    for (const char c : authority.substr(colon + 1)) port = port * 10 + static_cast<unsigned>(c - '0');
  const bool given = colon != authority.npos && colon + 1 != authority.size();
  if (given && port == 0) return Errc::invalid_argument;
  url.port_ = given ? static_cast<std::uint16_t>(port) : usual;

  url.host_ = bracket == authority.npos ? host : host.substr(1, host.size() - 2);
  url.authority_ = url.port_ == usual ? host : authority;
  const std::string_view path = parts->path;
  url.target_ = path.empty() ? "/" : path;
  if (parts->query) url.target_.append("?").append(*parts->query);
  return url;
}

std::string Url::text() const {
  return std::string(secure_ ? "https://" : "http://").append(authority_).append(target_);
}

Result<Url> Url::resolve(std::string_view reference) const {
  const auto target = resolve_reference(text(), reference);
  if (!target) return target.error();
  return parse(*target);
}

} // namespace rt
