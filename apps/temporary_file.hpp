#pragma once
// Files that an app needs for a moment: without a name, so that nothing is left behind, whatever happens.

#include <rt/io/file.hpp>
#include <rt/kernel/copy.hpp>
#include <rt/kernel/process.hpp>

#include <linux/fcntl.h>
#include <optional>
#include <string>

namespace apps {

/// Where temporary files can be: in the directory, or if none is given, in one of the usual ones, else in memory.
class TemporaryFiles {
 public:
  /// What open_file(2) says of the directory that was given.
  static rt::Result<TemporaryFiles> find(std::optional<std::string_view> directory) {
    if (directory) {
      TemporaryFiles files{std::string(*directory)};
      if (const auto file = files.make(); !file) return file.error();
      return files;
    }
    for (const char* const usual : {"/var/tmp", "/tmp"}) // the first one is on a disk where the second is not
      if (TemporaryFiles files{usual}; files.make()) return files;
    TemporaryFiles in_memory{""};
    if (const auto file = in_memory.make(); !file) return file.error();
    return in_memory;
  }

  /// An empty file, for reading and writing.
  rt::Result<rt::File> make() const {
    auto descriptor = directory_.empty() ? rt::kernel::make_file_in_memory("temporary")
                                         : rt::kernel::make_unnamed_file(directory_.c_str());
    if (descriptor.error() == rt::Errc::operation_not_supported) descriptor = make_and_remove();
    if (!descriptor) return descriptor.error();
    return rt::File(rt::Fd(*descriptor));
  }

  /// The directory; "memory".
  std::string_view where() const { return directory_.empty() ? "memory" : std::string_view(directory_); }

 private:
  explicit TemporaryFiles(std::string directory) : directory_(std::move(directory)) {}

  /// Where the file system knows no files without a name: it has one for a moment.
  rt::Result<int> make_and_remove() const {
    char number[16];
    const std::string_view digits(number, rt::format_to(number, "{}", rt::kernel::process_id()));
    const std::string path = directory_ + "/.temporary-" + std::string(digits);
    const auto descriptor = rt::kernel::open_file(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor) (void)rt::kernel::remove_file(path.c_str());
    return descriptor;
  }

  std::string directory_;
};

} // namespace apps
