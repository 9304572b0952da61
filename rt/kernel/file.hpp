#pragma once
// Files by descriptor: opening, reading, duplicating, pipes, and what a path leads to.

#include <rt/base/atomic.hpp>
#include <rt/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace rt::kernel {

/// open(2). Flags are O_ constants of <linux/fcntl.h>; the descriptor is the lowest free one.
Result<int> open_file(const char* path, int flags, unsigned mode = 0);

/// Linux has closed it even where it reports an error.
Result<void> close_file(int descriptor);

/// Told of every descriptor that is about to be closed or replaced here; the hubs', if there are any that wait for
/// some.
using DescriptorObserver = void(int descriptor);
inline constinit Atomic<DescriptorObserver*> descriptor_closes = nullptr;

/// Whether the number is an open descriptor.
bool is_open(int descriptor);

/// One read(2), not continued when a signal interrupts it. 0 bytes: the end.
Result<std::size_t> read_file(int descriptor, std::span<char> buffer);

/// One write(2). Returns how many bytes were written. broken_pipe, after the signal SIGPIPE.
Result<std::size_t> write_file(int descriptor, std::span<const char> bytes);

/// Whether reading and writing say would_block rather than to wait (O_NONBLOCK).
bool is_nonblocking(int descriptor);

/// Another descriptor of the same file, close-on-exec, as all of the runtime.
Result<int> duplicate(int descriptor);

/// A new descriptor that took the place of standard input, output or error, which was closed, gets a number of its own:
/// what is printed must not go there. too_many_files_open: and is closed.
Result<int> keep_from_standard(Result<int> descriptor);

/// Makes `to` another name of what `from` is, closing what it was before, as dup2(2) does.
Result<void> duplicate_as(int from, int to);

struct PipeEnds {
  int read;
  int write;
};
/// Flags: O_CLOEXEC, O_NONBLOCK.
Result<PipeEnds> make_pipe(int flags);

/// ioctl(2), for the requests that take the address of an object.
Result<int> control_device(int descriptor, unsigned long request, void* argument);

/// rename(2): the file gets the name `to`, in place of another that has it.
Result<void> rename_file(const char* from, const char* to);

/// unlink(2): the name, and the file with its last name.
Result<void> remove_file(const char* path);

Result<void> make_directory(const char* path, unsigned mode);

struct PathStatus {
  unsigned mode;      ///< type and permissions, as in inode(7)
  std::uint64_t size; ///< bytes
  bool mount_root;    ///< a file system is mounted here

  constexpr bool is_file() const { return (mode & 0170000) == 0100000; }
  constexpr bool is_socket() const { return (mode & 0170000) == 0140000; }
  constexpr bool is_directory() const { return (mode & 0170000) == 0040000; }
  constexpr bool is_executable() const { return (mode & 0111) != 0; } // by its owner, its group or all others
};
/// What the path leads to, symbolic links followed.
Result<PathStatus> path_status(const char* path);

/// The names in an open directory, one after the other, in no order.
class DirectoryReader {
 public:
  explicit DirectoryReader(int descriptor) : descriptor_(descriptor) {}

  /// The next name, NUL-terminated and valid until the next call; nullptr at the end.
  Result<const char*> next();

 private:
  int descriptor_;
  std::size_t position_ = 0;
  std::size_t end_ = 0;
  alignas(8) char buffer_[2048];
};

} // namespace rt::kernel
