#pragma once
// Asking name servers (RFC 1035, 7766): by UDP, and by TCP what does not fit into a datagram.

#include <rt/io/dns_message.hpp>
#include <rt/io/resolver_files.hpp>

namespace rt::dns {

/// A question, and what has come of it.
struct Inquiry {
  Question question;
  std::optional<Answer> answer = {}; ///< addresses, or that there are none
  Error error = {Errc::timed_out};   ///< why there is no answer

  // How far it is with the server that is asked at the moment.
  enum class Stage : std::uint8_t { waits, truncated, done };
  Stage stage = Stage::waits;
  std::uint16_t id = 0;
};

/// Asks the servers, one after the other from number `first` on, all questions at once, until each has its answer or
/// every server has been tried as often as the configuration says. A server that fails, refuses or cannot be reached is
/// followed by the next one at once. canceled; timed_out, only when the caller's Timeout is over: a question that no
/// server has answered in time has that as its own error.
Result<void> ask_servers(const Configuration& configuration, unsigned first, std::span<Inquiry> inquiries);

} // namespace rt::dns
