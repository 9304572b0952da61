#include <rt/io/file.hpp>

#include <rt/kernel/seekable.hpp>

#include <linux/fcntl.h>

namespace rt {
namespace {

constexpr std::size_t longest_path = 4096; // PATH_MAX, with the NUL

int flags_of(Open how) {
  switch (how) {
  case Open::read: return O_RDONLY;
  case Open::write: return O_WRONLY | O_CREAT | O_TRUNC;
  case Open::append: return O_WRONLY | O_CREAT | O_APPEND;
  case Open::update: return O_RDWR;
  case Open::write_new: return O_WRONLY | O_CREAT | O_EXCL;
  case Open::update_or_create: return O_RDWR | O_CREAT;
  }
  return O_RDONLY;
}

} // namespace

Result<File> File::open(std::string_view path, Open how, unsigned permissions) {
  char name[longest_path];
  if (path.size() >= sizeof name) return Errc::filename_too_long;
  if (path.find('\0') != path.npos) return Errc::invalid_argument;
  name[path.copy(name, path.size())] = '\0';
  for (;;) {
    const Result<int> opened =
        kernel::keep_from_standard(kernel::open_file(name, flags_of(how) | O_CLOEXEC, permissions));
    if (opened) return File(Fd(*opened));
    if (opened.error() != Errc::interrupted) return opened.error(); // a FIFO's other end is waited for
  }
}

Result<std::uint64_t> File::size() const { return kernel::file_size(number()); }

Result<std::size_t> File::read_at(std::span<char> buffer, std::uint64_t place) const {
  std::size_t total = 0;
  while (total < buffer.size()) {
    const Result<std::size_t> got = kernel::read_file_at(number(), buffer.subspan(total), place + total);
    if (got.error() == Errc::interrupted) continue;
    if (!got) return got;
    if (*got == 0) break;
    total += *got;
  }
  return total;
}

Result<void> File::write_at(std::span<const char> bytes, std::uint64_t place) const {
  while (!bytes.empty()) {
    const Result<std::size_t> put = kernel::write_file_at(number(), bytes, place);
    if (put.error() == Errc::interrupted) continue;
    if (!put) return put.error();
    bytes = bytes.subspan(*put);
    place += *put;
  }
  return {};
}

Result<std::uint64_t> File::seek(std::int64_t distance, From from) {
  return kernel::seek_file(number(), distance, static_cast<int>(from));
}

Result<void> File::sync() const { return kernel::sync_file(number()); }

Result<void> File::resize(std::uint64_t size) const { return kernel::resize_file(number(), size); }

} // namespace rt
