#pragma once
// What a Response stands on: an answer that is being read from a connection.

#include <rt/io/http_buffer.hpp>
#include <rt/io/http_chunks.hpp>
#include <rt/io/http_client.hpp>
#include <rt/io/http_wire.hpp>

namespace rt::http {

class Response::Reading {
 public:
  Reading(Client& client, const Url& url, const RequestOptions& options, Fd socket)
      : client_(client), url_(url), limits_(options.limits), pace_(options.stall_timeout, options.least_rate),
        socket_(std::move(socket)), head_(limits_), chunks_(limits_) {}
  Reading(const Reading&) = delete;

  Result<void> send(std::span<kernel::Piece> pieces) { return send_all(socket_.number(), pieces, pace_); }
  /// head_only: it answers HEAD, so no body follows.
  Result<void> receive_head(bool head_only);
  /// Something of the answer has come.
  bool begun() const { return !input_.empty() || interim_ != 0; }

  Result<std::size_t> read(std::span<char> buffer);
  Result<void> read_all();
  /// Reads the rest away, if it is little, so that the connection may be used on.
  void skip_rest();

  const Url& url() const { return url_; }
  const ResponseParser& head() const { return head_; }
  std::string_view body() const { return body_; }

 private:
  enum class Framing : std::uint8_t { none, length, chunked, to_the_end };

  Result<std::size_t> read_length(std::span<char> buffer);
  Result<std::size_t> read_chunked(std::span<char> buffer);
  Result<std::size_t> read_to_the_end(std::span<char> buffer);
  Result<std::size_t> read_some(std::span<char> buffer);
  Result<void> receive_input();
  void end();

  Client& client_;
  const Url url_;
  const Limits limits_;
  Pace pace_;
  Fd socket_;
  Buffer input_;
  ResponseParser head_;
  ChunkReader chunks_;
  std::string body_;
  std::uint64_t left_ = 0; // of a body with a length, or of what may come of one to the end
  unsigned interim_ = 0;   // answers of 1xx so far
  Framing framing_ = Framing::none;
  bool ended_ = false;
  Error error_;
};

} // namespace rt::http
