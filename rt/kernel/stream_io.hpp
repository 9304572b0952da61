#pragma once
// Sending and receiving on connected stream sockets, of any family. Whether a call may block is said in each call, so
// that one socket serves threads, which block in the kernel, and fibers, which must not; and nothing is left behind in
// the file, which other processes may share.

#include <rt/base/result.hpp>
#include <rt/kernel/socket.hpp>

#include <cstddef>
#include <span>

namespace rt::kernel {

enum class Blocking : bool { no, yes };

/// Two local stream sockets, connected to each other, in which a call may block.
Result<SocketPair> make_blocking_pair();

/// From now on a call on the socket may block, by all who have it.
Result<void> make_blocking(int socket);

/// One sendmsg(2) of both parts, one after the other, without SIGPIPE. Returns how many bytes the kernel took.
/// would_block, interrupted, broken_pipe, connection_reset.
Result<std::size_t> send_stream(int socket, std::span<const char> head, std::span<const char> rest, Blocking blocking);

/// One recv(2). 0 bytes: the end. would_block, interrupted, connection_reset.
Result<std::size_t> receive_stream(int socket, std::span<char> buffer, Blocking blocking);

} // namespace rt::kernel
