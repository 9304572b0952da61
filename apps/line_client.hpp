#pragma once
// A client that sends lines, and prints what the server answers to each.

#include "network.hpp"

#include <rt/io/fd.hpp>
#include <rt/thread/thread.hpp>

#include <string>
#include <vector>

namespace apps {

/// The lines of a descriptor.
class LineReader {
 public:
  explicit LineReader(rt::Fd descriptor) : descriptor_(std::move(descriptor)) {}

  /// The next one, without its newline. end_of_file; the rest, if the last one has no newline.
  Result<std::string> next() {
    for (;;) {
      if (const std::size_t end = text_.find('\n'); end != text_.npos) return cut(end, end + 1);
      char buffer[4096];
      const auto size = descriptor_.read(buffer);
      if (!size) return size.error();
      if (*size == 0)
        return text_.empty() ? Result<std::string>(rt::Errc::end_of_file) : cut(text_.size(), text_.size());
      text_.append(buffer, *size);
    }
  }

  int number() const { return descriptor_.number(); }

 private:
  std::string cut(std::size_t end, std::size_t next) {
    std::string line = text_.substr(0, end);
    text_.erase(0, next);
    return line;
  }

  rt::Fd descriptor_;
  std::string text_;
};

/// Sends each line that next_line() returns, until there is none, and waits for the answer each time: what comes with
/// one read.
template <class NextLine> Result<void> talk(std::string_view name, const Address& server, NextLine next_line) {
  auto stream = TcpStream::connect(server);
  if (!stream) return stream.error();
  for (;;) {
    auto line = next_line();
    if (line.error() == rt::Errc::end_of_file) return {};
    if (!line) return line.error();
    if (line->empty()) continue; // nothing would be sent, and nobody would answer
    rt::println("{}: sends {}", name, Received{*line});
    *line += '\n';
    if (const auto sent = stream->write(*line); !sent) return sent;
    char buffer[4096];
    const auto size = stream->read(buffer);
    if (!size) return size.error();
    if (*size == 0) return rt::Errc::end_of_file;
    rt::println("{}: got {}", name, Received{without_newline({buffer, *size})});
  }
}

/// The lines of standard input.
inline Result<void> talk_from_standard_input(std::string_view name, const Address& server) {
  LineReader input(rt::Fd(0));
  return talk(name, server, [&] { return input.next(); });
}

/// A client of a demonstration, with lines of its own.
inline Result<void> talk_with_lines(std::string_view name, const Address& server, std::vector<std::string> lines) {
  auto line = lines.begin();
  return talk(name, server, [&]() -> Result<std::string> {
    if (line == lines.end()) return rt::Errc::end_of_file;
    if (line != lines.begin()) pause(500ms);
    return *line++;
  });
}

/// Clients A, B, C... in threads of their own, each with two lines. When they end, the server is waited for by join().
class TalkingClients {
 public:
  TalkingClients(const Address& server, unsigned count) {
    threads_.reserve(count);
    for (unsigned i = 0; i < count; ++i)
      threads_.emplace_back([this, server, letter = static_cast<char>('A' + i)] {
        const char name[] = {'c', 'l', 'i', 'e', 'n', 't', ' ', letter};
        pause(100ms * (letter - 'A'));
        const auto talked = talk_with_lines({name, sizeof name}, server, {"hello", std::string("this is ") + letter});
        if (!talked) failure_.store(talked.error().code);
      });
    for (auto& thread : threads_) thread.start().value();
  }

  /// Waits for all. The error of one that failed.
  Result<void> join() {
    for (auto& thread : threads_) thread.join();
    return failure_.load();
  }

 private:
  std::vector<rt::Thread> threads_;
  std::atomic<rt::Errc> failure_ = rt::Errc::none;
};

} // namespace apps
