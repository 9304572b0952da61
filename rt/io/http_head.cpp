#include <rt/io/http_head.hpp>

namespace rt::http {

unsigned status_of(Fault fault) {
  switch (fault) {
  case Fault::none: return 200;
  case Fault::malformed: return 400;
  case Fault::target_too_long: return 414;
  case Fault::head_too_large: return 431;
  case Fault::body_too_large: return 413;
  case Fault::coding: return 501;
  case Fault::version: return 505;
  }
  return 400;
}

Errc error_of(Fault fault) {
  switch (fault) {
  case Fault::none: return Errc::none;
  case Fault::malformed: return Errc::bad_message;
  case Fault::target_too_long:
  case Fault::head_too_large:
  case Fault::body_too_large: return Errc::message_size;
  case Fault::coding:
  case Fault::version: return Errc::protocol_not_supported;
  }
  return Errc::bad_message;
}

std::optional<std::string_view> Fields::find(std::string_view name) const {
  for (const Field& field : *this)
    if (equal_ignoring_case(field.name, name)) return field.value;
  return {};
}

bool Fields::has_element(std::string_view name, std::string_view element) const {
  for (const Field& field : *this) {
    if (!equal_ignoring_case(field.name, name)) continue;
    for (auto list = field.value, next = take_element(list); !next.empty(); next = take_element(list))
      if (equal_ignoring_case(next, element)) return true;
  }
  return false;
}

// --- Lines and fields ------------------------------------------------------------------------------------------------

bool HeadParser::take_line(std::string_view& line, Fault too_long) {
  const std::string_view rest = text_.substr(at_);
  const std::size_t end = rest.find('\n');
  const std::size_t size = end == rest.npos ? rest.size() : end;
  if (size > limits_.line) return fail(too_long);
  if (at_ + size >= limits_.head) return fail(Fault::head_too_large);
  if (end == rest.npos) return false;
  if (end == 0 || rest[end - 1] != '\r') return fail(Fault::malformed);
  line = rest.substr(0, end - 1); // a CR within it is refused as any control character is
  at_ += end + 1;
  return true;
}

bool HeadParser::take_version(std::string_view version) {
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is(version[5], digit) || version[6] != '.' ||
      !is(version[7], digit))
    return fail(Fault::malformed);
  if (version[5] != '1') return fail(Fault::version);
  minor_version_ = static_cast<std::uint8_t>(version[7] - '0');
  return true;
}

Progress HeadParser::parse_fields() {
  for (std::string_view line; take_line(line, Fault::head_too_large);) {
    if (line.empty()) return check_framing() ? Progress::complete : Progress::failed;
    if (++count_ > limits_.fields) fail(Fault::head_too_large);
    if (fault_ != Fault::none || !take_field(line)) break;
  }
  return progress();
}

bool HeadParser::take_field(std::string_view line) {
  const std::size_t name_size = prefix_of(line, token);
  if (name_size == 0 || name_size == line.size() || line[name_size] != ':') return fail(Fault::malformed);
  const std::string_view name = line.substr(0, name_size), after = line.substr(name_size + 1);
  if (prefix_of(after, field_text) != after.size()) return fail(Fault::malformed);
  const std::string_view value = trim(after);
  switch (name_size) {
  case 4:
    if (equal_ignoring_case(name, "host")) {
      ++hosts_;
      if (!is_authority(value)) return fail(Fault::malformed);
    }
    break;
  case 10:
    if (equal_ignoring_case(name, "connection"))
      for (auto list = value, option = take_element(list); !option.empty(); option = take_element(list)) {
        close_ = close_ || equal_ignoring_case(option, "close");
        keep_alive_ = keep_alive_ || equal_ignoring_case(option, "keep-alive");
      }
    break;
  case 14:
    if (equal_ignoring_case(name, "content-length")) return take_content_length(value);
    break;
  case 17:
    if (equal_ignoring_case(name, "transfer-encoding")) return take_codings(value);
    break;
  }
  return true;
}

bool HeadParser::take_content_length(std::string_view value) {
  if (content_length_ || !all_of(value, digit)) return fail(Fault::malformed);
  std::uint64_t number = 0;
  for (const char c : value)
    if (__builtin_mul_overflow(number, 10, &number) ||
        __builtin_add_overflow(number, static_cast<unsigned>(c - '0'), &number))
      return fail(Fault::body_too_large);
  content_length_ = number;
  return true;
}

bool HeadParser::take_codings(std::string_view list) {
  std::string_view coding = take_element(list);
  if (coding.empty()) return fail(Fault::malformed);
  for (; !coding.empty(); coding = take_element(list)) {
    if (chunked_) return fail(Fault::malformed); // nothing may be done to what is chunked
    if (equal_ignoring_case(coding, "chunked"))
      chunked_ = true;
    else
      coded_ = true;
  }
  return true;
}

bool HeadParser::check_framing() {
  if (chunked_ || coded_) {
    if (content_length_ || minor_version_ == 0) return fail(Fault::malformed);
    if (coded_) return fail(Fault::coding);
  }
  if (content_length_ && *content_length_ > limits_.body) return fail(Fault::body_too_large);
  return true;
}

// --- Requests --------------------------------------------------------------------------------------------------------

Progress RequestParser::parse(std::string_view text) {
  text_ = text;
  // What cannot become a request is refused at once, although its line has not ended.
  if (!text.empty() && fields_begin_ == 0 && at_ == 0 && !is(text[0], token) && text[0] != '\r') fail(Fault::malformed);
  while (fields_begin_ == 0 && fault_ == Fault::none) {
    std::string_view line;
    if (!take_line(line, Fault::target_too_long)) return progress();
    if (!line.empty() && take_request_line(line)) fields_begin_ = at_;
  }
  if (fault_ != Fault::none) return Progress::failed;
  const Progress progress = parse_fields();
  return progress == Progress::complete && !check() ? Progress::failed : progress;
}

bool RequestParser::take_request_line(std::string_view line) {
  const std::size_t method_size = prefix_of(line, token);
  if (method_size == 0 || method_size == line.size() || line[method_size] != ' ') return fail(Fault::malformed);
  const std::string_view rest = line.substr(method_size + 1);
  const std::size_t target_size = prefix_of(rest, uri);
  const std::string_view target = rest.substr(0, target_size);
  // An IP-literal's brackets are no characters of `uri`: only a target that begins with a host has them.
  std::size_t end = target_size;
  if (end < rest.size() && rest[end] == '[') end = rest.find(' ');
  if (end == rest.npos || end == rest.size() || rest[end] != ' ') return fail(Fault::malformed);
  if (!take_version(rest.substr(end + 1))) return false;
  method_begin_ = static_cast<std::size_t>(line.data() - text_.data());
  method_size_ = static_cast<std::uint32_t>(method_size);
  target_begin_ = method_begin_ + method_size + 1;
  target_size_ = end;
  return take_target(end == target_size ? target : rest.substr(0, end), line.substr(0, method_size));
}

// RFC 9112, section 3.2: origin-form, asterisk-form, authority-form, absolute-form.
bool RequestParser::take_target(std::string_view target, std::string_view method) {
  if (method == "CONNECT") {
    authority_size_ = path_begin_ = target.size();
    const std::size_t colon = target.rfind(':');
    const bool good = is_authority(target) && colon != target.npos && colon != 0 && colon + 1 != target.size() &&
                      target.back() != ']';
    return good || fail(Fault::malformed);
  }
  if (target == "*") return method == "OPTIONS" || fail(Fault::malformed);
  std::string_view rest = target;
  if (!target.starts_with('/')) {
    const std::size_t scheme = target.find("://");
    if (scheme == target.npos) return fail(Fault::malformed);
    if (!equal_ignoring_case(target.substr(0, scheme), "http") &&
        !equal_ignoring_case(target.substr(0, scheme), "https"))
      return fail(Fault::malformed);
    const std::size_t begin = scheme + 3;
    path_begin_ = std::min(target.find_first_of("/?", begin), target.size());
    authority_size_ = path_begin_ - begin;
    const std::string_view authority = target.substr(begin, authority_size_);
    if (authority.empty() || authority.front() == ':' || !is_authority(authority)) return fail(Fault::malformed);
    rest.remove_prefix(path_begin_);
  }
  return (prefix_of(rest, uri) == rest.size() && has_good_escapes(rest)) || fail(Fault::malformed);
}

bool RequestParser::check() {
  if (hosts_ > 1 || (hosts_ == 0 && minor_version_ >= 1)) return fail(Fault::malformed);
  if (minor_version_ == 0) return true; // knows no expectations
  for (const Field& field : fields()) {
    if (!equal_ignoring_case(field.name, "expect")) continue;
    const bool known = equal_ignoring_case(field.value, "100-continue");
    (known ? expects_continue_ : expects_unknown_) = true;
  }
  return true;
}

std::string_view RequestParser::path() const {
  const std::string_view rest = target().substr(path_begin_);
  return rest.substr(0, rest.find('?'));
}

std::string_view RequestParser::query() const {
  const std::string_view rest = target().substr(path_begin_);
  const std::size_t mark = rest.find('?');
  return mark == rest.npos ? std::string_view() : rest.substr(mark + 1);
}

std::string_view RequestParser::authority() const {
  if (authority_size_ != 0) return target().substr(path_begin_ - authority_size_, authority_size_);
  return host_value().value_or(std::string_view());
}

// --- Responses -------------------------------------------------------------------------------------------------------

Progress ResponseParser::parse(std::string_view text) {
  text_ = text;
  if (!text.empty() && fields_begin_ == 0 && text[0] != 'H') fail(Fault::malformed);
  if (fields_begin_ == 0 && fault_ == Fault::none) {
    std::string_view line;
    if (!take_line(line, Fault::head_too_large)) return progress();
    if (take_status_line(line)) fields_begin_ = at_;
  }
  return fault_ != Fault::none ? Progress::failed : parse_fields();
}

bool ResponseParser::take_status_line(std::string_view line) {
  if (line.size() < 12 || line[8] != ' ' || !all_of(line.substr(9, 3), digit) || line[9] == '0' ||
      (line.size() > 12 && line[12] != ' '))
    return fail(Fault::malformed);
  for (const char c : line.substr(9, 3)) status_ = status_ * 10 + static_cast<unsigned>(c - '0');
  const std::string_view reason = line.substr(std::min<std::size_t>(line.size(), 13));
  if (prefix_of(reason, field_text) != reason.size()) return fail(Fault::malformed);
  reason_begin_ = static_cast<std::size_t>(reason.data() - text_.data());
  reason_size_ = reason.size();
  return take_version(line.substr(0, 8));
}

// --- Hosts -----------------------------------------------------------------------------------------------------------

bool is_authority(std::string_view text) {
  std::size_t end = 0;
  if (text.starts_with('[')) {
    end = 1 + prefix_of(text.substr(1), address);
    if (end == 1 || end == text.size() || text[end] != ']') return false;
    ++end;
  } else {
    end = prefix_of(text, host);
    if (!has_good_escapes(text.substr(0, end))) return false;
  }
  if (end == text.size()) return true;
  const std::string_view port = text.substr(end + 1);
  if (text[end] != ':' || prefix_of(port, digit) != port.size() || port.size() > 5) return false;
  unsigned number = 0;
  for (const char c : port) number = number * 10 + static_cast<unsigned>(c - '0');
  return number <= 65535;
}

bool has_good_escapes(std::string_view text) {
  for (std::size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 3))
    if (text.size() - at < 3 || !is(text[at + 1], hexadecimal) || !is(text[at + 2], hexadecimal)) return false;
  return true;
}

} // namespace rt::http
