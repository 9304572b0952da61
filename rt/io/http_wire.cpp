#include <rt/io/http_wire.hpp>

namespace rt::http {

Result<void> send_all(int socket, std::span<kernel::Piece> pieces, Pace& pace, kernel::More more) {
  while (!pieces.empty()) {
    const Result<std::size_t> sent = kernel::send_pieces(socket, pieces, kernel::Blocking::no, more);
    if (sent) {
      pace.moved(*sent);
      std::size_t left = *sent;
      for (; !pieces.empty() && left >= pieces.front().size; pieces = pieces.subspan(1)) left -= pieces.front().size;
      if (pieces.empty()) break;
      pieces.front().data = static_cast<const char*>(pieces.front().data) + left;
      pieces.front().size -= left;
    } else if (sent.error() == Errc::would_block) {
      if (const Result<void> waited = pace.wait(socket, Ready::write); !waited) return waited;
    } else if (sent.error() != Errc::interrupted) {
      return sent.error();
    }
  }
  return {};
}

Result<std::size_t> receive(int socket, std::span<char> buffer, Pace& pace) {
  for (;;) {
    const Result<std::size_t> received = kernel::receive_bytes(socket, buffer);
    if (received) {
      if (*received == 0) return Errc::end_of_file;
      pace.moved(*received);
      return received;
    }
    if (received.error() == Errc::would_block) {
      if (const Result<void> waited = pace.wait(socket, Ready::read); !waited) return waited.error();
    } else if (received.error() != Errc::interrupted) {
      return received;
    }
  }
}

} // namespace rt::http
