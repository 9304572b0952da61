#pragma once
// The head of an HTTP/1.1 message (RFC 9112): the first line and the fields, up to the empty line.
//
//   http::RequestParser parser(limits);
//   while (parser.parse(received) == http::Progress::more) ...     // receive more behind what is there
//   parser.method(), parser.path(), parser.fields().find("accept")
//
// A parser copies nothing and allocates nothing: what it hands out are views of the text that it was given last, which
// may lie elsewhere each time as long as it begins with the same message. It goes on with the line that was not
// complete.
//
// It is strict, as what two programs read differently is how requests are smuggled past one of them. An error are: a
// line that does not end in CR LF, a bare CR, control characters, folded lines, blanks around a field's name; more than
// one Content-Length (even of the same value) and one that is not a number; a Transfer-Encoding other than "chunked",
// or beside a Content-Length, or in HTTP/1.0; none or several Hosts in a request. Only that empty lines come before a
// request, and that a status line may end after the status, is let pass.

#include <rt/base/error.hpp>
#include <rt/io/http_characters.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace rt::http {

/// How much of a message is taken.
struct Limits {
  std::uint32_t line = 8 * 1024;         ///< bytes of the first line, and of each field
  std::uint32_t head = 32 * 1024;        ///< bytes of the whole head; of all trailers; of all extensions of chunks
  std::uint32_t fields = 100;            ///< how many
  std::uint64_t body = 64 * 1024 * 1024; ///< bytes
};

enum class Progress : std::uint8_t { more, complete, failed };

/// What is wrong with a message.
enum class Fault : std::uint8_t { none, malformed, target_too_long, head_too_large, body_too_large, coding, version };

/// The status that a server answers with: 400, 414, 431, 413, 501 or 505.
unsigned status_of(Fault fault);
/// bad_message (malformed), message_size (beyond a limit), protocol_not_supported (coding, version).
Errc error_of(Fault fault);

struct Field {
  std::string_view name;
  std::string_view value; ///< without blanks around it
};

/// The fields of a head that has been parsed, or none.
class Fields {
 public:
  class Iterator {
   public:
    using value_type = Field;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(std::string_view rest) : rest_(rest) { read(); }
    const Field& operator*() const { return field_; }
    const Field* operator->() const { return &field_; }
    Iterator& operator++() {
      rest_.remove_prefix(rest_.find('\n') + 1);
      read();
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& other) const { return rest_.size() == other.rest_.size(); }

   private:
    void read() {
      if (rest_.empty()) return;
      const std::size_t colon = rest_.find(':');
      field_ = {rest_.substr(0, colon), trim(rest_.substr(colon + 1, rest_.find('\r') - colon - 1))};
    }
    std::string_view rest_;
    Field field_;
  };

  Fields() = default;
  /// The lines, each with its CR LF, as a parser has let them pass.
  explicit Fields(std::string_view lines) : lines_(lines) {}

  Iterator begin() const { return Iterator(lines_); }
  Iterator end() const { return {}; }

  /// The value of the first field of this name, whatever the case of its letters.
  std::optional<std::string_view> find(std::string_view name) const;
  /// Whether one of this name has the element in its comma-separated list.
  bool has_element(std::string_view name, std::string_view element) const;

  std::string_view lines() const { return lines_; }

 private:
  std::string_view lines_;
};

/// What the heads of requests and responses have in common.
class HeadParser {
 public:
  Fault fault() const { return fault_; }
  /// Bytes up to the end of the empty line, once complete.
  std::size_t size() const { return at_; }

  /// What was parsed is to be found here from now on.
  void moved_to(std::string_view text) { text_ = text; }

  Fields fields() const { return Fields(text_.substr(fields_begin_, at_ - fields_begin_ - 2)); }
  /// The 1 of HTTP/1.1.
  unsigned minor_version() const { return minor_version_; }
  /// The connection may be used on after this message.
  bool keep_alive() const { return minor_version_ >= 1 ? !close_ : keep_alive_ && !close_; }
  bool chunked() const { return chunked_; }
  std::optional<std::uint64_t> content_length() const { return content_length_; }

 protected:
  explicit HeadParser(const Limits& limits) : limits_(limits) {}

  bool fail(Fault fault) {
    fault_ = fault;
    return false;
  }
  /// Gives out the next line, without its end. False: it is not complete, or longer than it may be.
  bool take_line(std::string_view& line, Fault too_long);
  bool take_version(std::string_view version);
  /// Reads lines up to the empty one.
  Progress parse_fields();
  bool take_field(std::string_view line);
  bool take_content_length(std::string_view value);
  bool take_codings(std::string_view list);
  bool check_framing();
  Progress progress() const { return fault_ == Fault::none ? Progress::more : Progress::failed; }

  std::string_view text_;
  const Limits& limits_;
  std::size_t at_ = 0;           // of the first line that was not read
  std::size_t fields_begin_ = 0; // 0: the first line was not read
  std::optional<std::uint64_t> content_length_;
  std::optional<std::string_view> host_value() const { return fields().find("host"); }
  std::uint32_t count_ = 0; // of fields
  std::uint32_t hosts_ = 0;
  std::uint8_t minor_version_ = 0;
  Fault fault_ = Fault::none;
  bool close_ = false, keep_alive_ = false, chunked_ = false, coded_ = false;
};

class RequestParser : public HeadParser {
 public:
  /// The limits have to stay.
  explicit RequestParser(const Limits& limits) : HeadParser(limits) {}

  /// The text: all that has come since the end of the request before.
  Progress parse(std::string_view text);

  /// Case counts: "GET". It may be one that nobody knows.
  std::string_view method() const { return text_.substr(method_begin_, method_size_); }
  /// As it was sent.
  std::string_view target() const { return text_.substr(target_begin_, target_size_); }
  /// Of the target, still encoded, without the query: "/a%20b", or "*". Of "http://host" and of CONNECT: empty.
  std::string_view path() const;
  /// Behind the first '?'.
  std::string_view query() const;
  /// Host and port that are asked: of the target if it has any, else of Host. May be empty.
  std::string_view authority() const;
  /// The client waits for a status before it sends the body (Expect: 100-continue).
  bool expects_continue() const { return expects_continue_; }
  /// It expects something that nobody knows: 417.
  bool expects_unknown() const { return expects_unknown_; }

 private:
  bool take_request_line(std::string_view line);
  bool take_target(std::string_view target, std::string_view method);
  bool check();

  std::size_t method_begin_ = 0, target_begin_ = 0, target_size_ = 0;
  std::size_t authority_size_ = 0, path_begin_ = 0; // within the target; the authority ends where the path begins
  std::uint32_t method_size_ = 0;
  bool expects_continue_ = false, expects_unknown_ = false;
};

class ResponseParser : public HeadParser {
 public:
  explicit ResponseParser(const Limits& limits) : HeadParser(limits) {}

  Progress parse(std::string_view text);

  unsigned status() const { return status_; } ///< 100 to 999
  std::string_view reason() const { return text_.substr(reason_begin_, reason_size_); }
  /// Whether a body follows, when it answers a request other than HEAD. Without a length, and not chunked, it goes on
  /// to the end of the connection.
  bool has_body() const { return status_ >= 200 && status_ != 204 && status_ != 304; }

 private:
  bool take_status_line(std::string_view line);

  std::size_t reason_begin_ = 0, reason_size_ = 0;
  unsigned status_ = 0;
};

/// Whether the text is a host as Host has it: host [ ":" port ]; the host may be empty.
bool is_authority(std::string_view text);

/// Whether each '%' stands before two hexadecimal digits.
bool has_good_escapes(std::string_view text);

} // namespace rt::http
