#pragma once
// Sending and receiving on connected stream sockets, of any family. Whether a call may block is said in each call, so
// that one socket serves threads, which block in the kernel, and fibers, which must not; and nothing is left behind in
// the file, which other processes may share.

#include <rt/base/result.hpp>
#include <rt/kernel/message.hpp>
#include <rt/kernel/socket.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace rt::kernel {

enum class Blocking : bool { no, yes };
enum class More : bool { no, yes }; ///< yes: the kernel may wait for what is sent next, to fill a packet (MSG_MORE)

/// Two local stream sockets, connected to each other, in which a call may block.
Result<SocketPair> make_blocking_pair();

/// From now on a call on the socket may block, by all who have it.
Result<void> make_blocking(int socket);

/// One sendmsg(2) of all the pieces, one after the other, without SIGPIPE. Returns how many bytes the kernel took.
/// would_block, interrupted, broken_pipe, connection_reset.
Result<std::size_t> send_pieces(int socket, std::span<const Piece> pieces, Blocking blocking, More more = More::no);

/// sendfile(2) from the offset on, of a file to a non-blocking socket. 0 bytes: the file has no more. would_block;
/// broken_pipe, after the signal SIGPIPE.
Result<std::size_t> send_file(int socket, int file, std::uint64_t offset, std::size_t size);

/// One recv(2). 0 bytes: the end. would_block, interrupted, connection_reset.
Result<std::size_t> receive_stream(int socket, std::span<char> buffer, Blocking blocking);

/// Whether a connection that nothing is expected of is as it was: nothing has come, not even its end.
bool is_silent(int socket);

} // namespace rt::kernel
