#pragma once
// What a server's handler is given: the request, and the reply that it makes.

#include <rt/io/http_buffer.hpp>
#include <rt/io/http_chunks.hpp>
#include <rt/io/http_head.hpp>
#include <rt/io/http_pace.hpp>

#include <rt/base/format.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rt::http {

class Connection;

/// A place in a ring of connections.
struct ConnectionLink {
  ConnectionLink* next = this;
  ConnectionLink* previous = this;

  ConnectionLink() = default;
  ConnectionLink(const ConnectionLink&) = delete;
  bool alone() const { return next == this; }
  void insert_before(ConnectionLink& other) {
    next = &other;
    previous = std::exchange(other.previous, this);
    previous->next = this;
  }
  void remove() {
    previous->next = next;
    next->previous = previous;
    next = previous = this;
  }
};

/// All views are valid until the handler returns.
class Request {
 public:
  Request(Connection& connection, const RequestParser& head);

  std::string_view method() const { return head_.method(); }       ///< "GET"
  std::string_view target() const { return head_.target(); }       ///< "/a%20b?c", as it was sent
  std::string_view path() const;                                   ///< "/a%20b", still encoded; "/" at least
  std::string_view query() const { return head_.query(); }         ///< "c"
  std::string_view authority() const { return head_.authority(); } ///< host and port that were asked
  unsigned minor_version() const { return head_.minor_version(); } ///< the 1 of HTTP/1.1
  Fields fields() const { return head_.fields(); }
  std::optional<std::string_view> field(std::string_view name) const { return fields().find(name); }

  /// The connection's descriptor, to ask for addresses.
  int descriptor() const;

  /// Reads of the body what is there, or waits for some. 0 bytes: it has ended. bad_message, message_size,
  /// end_of_file (it breaks off), timed_out, and errors of recv(2): what failed once fails again.
  [[nodiscard]] Result<std::size_t> read(std::span<char> buffer);
  /// The rest of the body. Its size is limited by ServerOptions::limits.
  [[nodiscard]] Result<std::string> read_all();

 private:
  friend class Connection;
  friend class Reply;

  Result<std::size_t> read_chunked(std::span<char> buffer);
  Result<std::size_t> fail(Error error) { return error_ = error; }
  Result<std::size_t> read_some(std::span<char> buffer);
  Result<void> send_continue();
  /// Reads the rest away, if it is little. False: it is not, or something is wrong.
  bool skip_rest();
  /// The client has not sent the body yet, and may not.
  bool waits_for_continue() const { return continue_; }

  Connection& connection_;
  const RequestParser& head_;
  ChunkReader chunks_;
  Pace pace_;
  std::uint64_t left_; // of a body with a length
  bool continue_;      // 100 Continue is still to be sent
  bool ended_;
  Error error_;
};

/// Exactly one of send, send_file and begin is to be called, at most once. Of a method that fails because of the client
/// the handler need not care: the connection is closed.
class Reply {
 public:
  Reply(Connection& connection, const RequestParser& head);

  /// Adds a field to the head. Content-Length, Transfer-Encoding, Connection and Date are the server's own.
  /// invalid_argument: the name or the value could not stand in a head, and nothing was added.
  Result<void> field(std::string_view name, std::string_view value);

  /// Answers with this body, in one call to the kernel. type: Content-Type; empty: none.
  Result<void> send(unsigned status, std::string_view type, std::string_view body);

  /// Answers with a part of a file, by sendfile(2). io_error: the file has become shorter.
  Result<void> send_file(unsigned status, std::string_view type, int file, std::uint64_t offset, std::uint64_t size);

  /// Begins an answer whose body is written piece by piece: of this size, or of any, in chunks (for HTTP/1.0: up to the
  /// end of the connection). The head leaves with the first piece.
  Result<void> begin(unsigned status, std::string_view type, std::optional<std::uint64_t> size = {});
  /// invalid_argument: more than begin() was told.
  Result<void> write(std::string_view piece);
  /// Sends the head alone if there is nothing to be written yet.
  Result<void> flush();
  Result<void> end();

  bool begun() const { return status_ != 0; }
  unsigned status() const { return status_; }
  /// Bytes of the body that have been sent.
  std::uint64_t sent() const { return sent_; }

 private:
  friend class Connection;

  /// already_started; invalid_argument: the status is not one of 200 to 999, or the type could not stand in a head.
  Result<void> start(unsigned status, std::string_view type, std::optional<std::uint64_t> size);
  void put_head(std::string_view type, std::optional<std::uint64_t> size);
  bool has_body() const { return !head_only_ && status_ != 204 && status_ != 304; }

  Connection& connection_;
  Pace pace_;
  Buffer head_; // what has not been sent of it
  std::string fields_;
  std::optional<std::uint64_t> promised_;
  std::uint64_t sent_ = 0;
  unsigned status_ = 0;
  const bool head_only_; // HEAD
  const bool can_chunk_; // HTTP/1.1
  bool chunked_ = false;
  bool ended_ = false;
};

/// "Not Found"; empty for a status that has no name.
std::string_view reason_of(unsigned status);

} // namespace rt::http
