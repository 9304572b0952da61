#pragma once
// Sending on connected sockets what lies in several places, and what lies in files.

#include <rt/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace rt::kernel {

/// A part of what is sent: the kernel's struct iovec.
struct Piece {
  const void* data = nullptr;
  std::size_t size = 0;

  constexpr Piece() = default;
  constexpr Piece(std::string_view text) : data(text.data()), size(text.size()) {}
};

enum class More : bool { no, yes }; ///< yes: the kernel may wait for what is sent next, to fill a packet (MSG_MORE)

/// One sendmsg(2) of all the pieces, without SIGPIPE, whatever its blocking mode. Returns how many bytes the
/// kernel took. would_block, broken_pipe, connection_reset.
Result<std::size_t> send_pieces(int socket, std::span<const Piece> pieces, More more = More::no);

/// Whether a connection that nothing is expected of is as it was: nothing has come, not even its end.
bool is_silent(int socket);

/// sendfile(2) from the offset on, of a file to a non-blocking socket. 0 bytes: the file has no more. would_block.
Result<std::size_t> send_file(int socket, int file, std::uint64_t offset, std::size_t size);

} // namespace rt::kernel
