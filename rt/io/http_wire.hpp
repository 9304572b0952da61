#pragma once
// Sending and receiving all of something on a connected socket, at the pace that the other side is allowed.

#include <rt/io/http_pace.hpp>
#include <rt/kernel/stream.hpp>

#include <span>

namespace rt::http {

/// All of the pieces. What is left of them is in their place when it fails.
Result<void> send_all(int socket, std::span<kernel::Piece> pieces, Pace& pace, kernel::More more = kernel::More::no);

/// What is there, after a wait for it if need be. end_of_file: nothing more will come.
Result<std::size_t> receive(int socket, std::span<char> buffer, Pace& pace);

} // namespace rt::http
