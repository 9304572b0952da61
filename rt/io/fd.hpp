#pragma once
// Fd: a descriptor that is closed with its owner: a file, a pipe, a terminal, whatever read(2) and write(2) are for.
//
// What has to wait blocks the thread, or only the fiber when it is called in one, until the task's Timeout or a cancel
// ends it: timed_out, canceled. Signals do not end it. In non-blocking mode it says would_block at once.
//
// All of that holds however the kernel has been told to treat the descriptor (O_NONBLOCK), which is never changed: that
// is shared with everybody who has inherited it, as the shell has the terminal. Regular files are always ready: their
// disk is waited for by the thread.

#include <rt/hub/readiness.hpp>
#include <rt/kernel/file.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace rt {

class Fd {
 public:
  constexpr Fd() = default;
  /// Owns the descriptor from now on.
  constexpr explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept
      : number_(std::exchange(other.number_, -1)), kernel_waits_(other.kernel_waits_),
        nonblocking_(other.nonblocking_) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
      kernel_waits_ = other.kernel_waits_;
      nonblocking_ = other.nonblocking_;
    }
    return *this;
  }
  ~Fd() { close(); }

  bool is_open() const { return number_ >= 0; }
  explicit operator bool() const { return is_open(); }
  /// -1: none.
  int number() const { return number_; }
  /// Gives the descriptor away.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }
  /// Ends the waits for it with bad_file_descriptor.
  void close() {
    if (is_open()) (void)kernel::close_file(release());
  }

  /// Another descriptor of the same file.
  [[nodiscard]] Result<Fd> duplicate() const;

  /// What would have to wait fails with would_block.
  void set_nonblocking(bool nonblocking) { nonblocking_ = nonblocking; }
  bool nonblocking() const { return nonblocking_; }

  /// Some bytes, one at least; 0: the end, or an empty buffer.
  [[nodiscard]] Result<std::size_t> read(std::span<char> buffer);
  /// As many as the buffer has room for. end_of_file: there were fewer; they are lost.
  [[nodiscard]] Result<void> read_exactly(std::span<char> buffer);

  /// Some bytes, one at least if there are any. broken_pipe (the signal SIGPIPE does not end the program, from the
  /// first write on: one that has no other action then is given one that does nothing).
  [[nodiscard]] Result<std::size_t> write_some(std::span<const char> bytes);
  /// All of them. After an error some may have been written.
  [[nodiscard]] Result<void> write(std::span<const char> bytes);
  template <std::size_t size> [[nodiscard]] Result<void> write(const char (&literal)[size]) {
    return write(std::span(literal, size - 1));
  }

 private:
  Errc wait(Ready events);
  bool kernel_waits();

  int number_ = -1;
  // Whether the kernel blocks in read(2): asked when it matters.
  enum class Known : std::uint8_t { not_yet, no, yes } kernel_waits_ = Known::not_yet;
  bool nonblocking_ = false;
};

/// Both ends of a new pipe, close-on-exec.
struct Pipe {
  Fd read;
  Fd write;

  static Result<Pipe> make();
};

} // namespace rt
