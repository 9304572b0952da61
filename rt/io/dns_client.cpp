#include <rt/io/dns_client.hpp>

#include <rt/hub/timeout.hpp>
#include <rt/io/tcp.hpp>
#include <rt/io/udp.hpp>
#include <rt/kernel/random.hpp>
#include <rt/sync/sleep.hpp>

#include <algorithm>

namespace rt::dns {
namespace {

using Stage = Inquiry::Stage;

// A datagram of this size crosses every network whole; servers send no more than 512 bytes to those who do not say that
// they take more, and what is longer than they may send is no answer.
constexpr std::size_t largest_datagram = 1500;

constexpr auto is_in(Stage stage) {
  return [stage](const Inquiry& inquiry) { return inquiry.stage == stage; };
}

// Sockets read and write characters.
std::span<const char> chars(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::span<char> writable_chars(std::span<std::uint8_t> bytes) {
  return {reinterpret_cast<char*>(bytes.data()), bytes.size()};
}

bool is_answered(const Inquiry& inquiry) { return inquiry.answer.has_value(); }

/// Gives the message to the inquiry that it answers, if it answers one.
void take_answer(std::span<Inquiry> inquiries, std::span<const std::uint8_t> message) {
  for (Inquiry& inquiry : inquiries) {
    if (inquiry.stage == Stage::done) continue;
    std::optional<Answer> answer = read_answer(message, inquiry.id, inquiry.question);
    if (!answer) continue;
    if (answer->outcome == Outcome::truncated && inquiry.stage == Stage::waits) {
      inquiry.stage = Stage::truncated;
      return;
    }
    inquiry.stage = Stage::done;
    if (answer->outcome == Outcome::failure || answer->outcome == Outcome::truncated)
      inquiry.error = {Errc::name_server_failure};
    else
      inquiry.answer = std::move(answer);
    return;
  }
}

/// Sends the questions of the inquiries that are in this stage.
template <class Send> Result<void> send_questions(std::span<const Inquiry> inquiries, Stage stage, Send send) {
  for (const Inquiry& inquiry : inquiries) {
    if (inquiry.stage != stage) continue;
    std::array<std::uint8_t, largest_question> buffer;
    if (const Result<void> sent = send(write_question(buffer, inquiry.id, inquiry.question)); !sent) return sent;
  }
  return {};
}

/// Between two messages: somebody who sends faster than they are read keeps neither the time from passing nor others
/// from running.
Result<void> let_others_run() {
  if (Deadline().limited_to(current_task().limit).passed()) return Errc::timed_out;
  return sleep_for(std::chrono::seconds(0));
}

/// Receives messages until no inquiry is in this stage.
template <class Receive> Result<void> receive_answers(std::span<Inquiry> inquiries, Stage stage, Receive receive) {
  while (std::any_of(inquiries.begin(), inquiries.end(), is_in(stage))) {
    const Result<std::span<const std::uint8_t>> message = receive();
    if (!message) return message.error();
    take_answer(inquiries, *message);
    if (const Result<void> rested = let_others_run(); !rested) return rested;
  }
  return {};
}

Result<void> ask_over_udp(const Address& server, std::span<Inquiry> inquiries) {
  auto socket = UdpSocket::connect(server);
  if (!socket) return socket.error();
  const auto sent =
      send_questions(inquiries, Stage::waits, [&](auto question) { return socket->send(chars(question)); });
  if (!sent) return sent;
  std::array<std::uint8_t, largest_datagram> buffer;
  return receive_answers(inquiries, Stage::waits, [&]() -> Result<std::span<const std::uint8_t>> {
    const auto size = socket->receive(writable_chars(buffer));
    if (!size) return size.error();
    return std::span<const std::uint8_t>(buffer).first(std::min(*size, buffer.size()));
  });
}

/// Each message comes after its size (RFC 1035, section 4.2.2).
Result<void> ask_over_tcp(const Address& server, std::span<Inquiry> inquiries) {
  auto stream = TcpStream::connect(server);
  if (!stream) return stream.error();
  std::vector<std::uint8_t> buffer;
  const auto append = [&](auto question) {
    buffer.push_back(static_cast<std::uint8_t>(question.size() >> 8));
    buffer.push_back(static_cast<std::uint8_t>(question.size()));
    buffer.insert(buffer.end(), question.begin(), question.end());
    return Result<void>();
  };
  (void)send_questions(inquiries, Stage::truncated, append);
  if (const auto written = stream->write(chars(buffer)); !written) return written.error();
  return receive_answers(inquiries, Stage::truncated, [&]() -> Result<std::span<const std::uint8_t>> {
    buffer.resize(2);
    if (const auto read = stream->read_exactly(writable_chars(buffer)); !read) return read.error();
    buffer.resize(static_cast<std::size_t>(buffer[0] << 8 | buffer[1]));
    if (const auto read = stream->read_exactly(writable_chars(buffer)); !read) return read.error();
    return std::span<const std::uint8_t>(buffer);
  });
}

Result<void> ask_server(const Address& server, const Configuration& configuration, std::span<Inquiry> inquiries) {
  const Timeout time(configuration.timeout);
  for (Inquiry& inquiry : inquiries) {
    inquiry.stage = is_answered(inquiry) ? Stage::done : configuration.over_tcp ? Stage::truncated : Stage::waits;
    inquiry.id = kernel::random_number<std::uint16_t>();
  }
  Result<void> asked;
  if (!configuration.over_tcp) asked = ask_over_udp(server, inquiries);
  if (asked && std::any_of(inquiries.begin(), inquiries.end(), is_in(Stage::truncated)))
    asked = ask_over_tcp(server, inquiries);
  return asked;
}

} // namespace

Result<void> ask_servers(const Configuration& configuration, unsigned first, std::span<Inquiry> inquiries) {
  const Deadline deadline = Deadline().limited_to(current_task().limit);
  const std::size_t servers = configuration.servers.size();
  for (std::size_t i = 0; i < configuration.attempts * servers; ++i) {
    const auto asked = ask_server(configuration.servers[(first + i) % servers], configuration, inquiries);
    if (std::all_of(inquiries.begin(), inquiries.end(), is_answered)) break;
    if (asked.error() == Errc::canceled || (!asked && deadline.passed())) return asked;
    for (Inquiry& inquiry : inquiries)
      // That a server has failed tells more than that another one was not there.
      if (!asked && inquiry.stage != Stage::done && inquiry.error != Errc::name_server_failure)
        inquiry.error = asked.error();
  }
  return {};
}

} // namespace rt::dns
