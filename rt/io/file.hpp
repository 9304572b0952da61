#pragma once
// File: a file by its path. How it waits, where it is none of a disk but a terminal, say, is told in fd.hpp; a disk is
// waited for by the thread.

#include <rt/io/fd.hpp>

#include <string_view>

namespace rt {

enum class Open : int {
  read,             ///< there must be one
  write,            ///< makes it, or empties it
  append,           ///< makes it; whatever is written goes to its end
  update,           ///< to read and to write; there must be one
  write_new,        ///< file_exists, if there is one
  update_or_create, ///< to read and to write; makes it
};

class File : public Fd {
 public:
  File() = default;
  explicit File(Fd fd) : Fd(std::move(fd)) {}

  /// The path has at most 4095 bytes. Permissions of one that is made are limited by the process's mask (umask(2)).
  /// no_such_file_or_directory, permission_denied, is_a_directory, file_exists, filename_too_long.
  [[nodiscard]] static Result<File> open(std::string_view path, Open how = Open::read, unsigned permissions = 0666);

  /// In bytes.
  [[nodiscard]] Result<std::uint64_t> size() const;

  /// From that place on, without moving the place where read and write go on. Fewer than the buffer has room for only
  /// at the end of the file.
  [[nodiscard]] Result<std::size_t> read_at(std::span<char> buffer, std::uint64_t place) const;
  /// All of them.
  [[nodiscard]] Result<void> write_at(std::span<const char> bytes, std::uint64_t place) const;

  enum class From : int { begin, here, end };
  /// Moves the place where read and write go on, and returns it. invalid_seek: a pipe or a terminal.
  Result<std::uint64_t> seek(std::int64_t distance, From from = From::begin);

  /// Waits until all is on the disk (fsync(2)).
  [[nodiscard]] Result<void> sync() const;
  /// Cuts it, or lengthens it with zeros (ftruncate(2)).
  [[nodiscard]] Result<void> resize(std::uint64_t size) const;
};

} // namespace rt
