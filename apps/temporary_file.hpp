#pragma once
// Files that an app needs for a moment: without a name, so that nothing is left behind, whatever happens.

#include <rt/io/file.hpp>
#include <rt/kernel/copy.hpp>

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
    const auto descriptor = directory_.empty() ? rt::kernel::make_file_in_memory("temporary")
                                               : rt::kernel::make_unnamed_file(directory_.c_str());
    if (!descriptor) return descriptor.error();
    return rt::File(rt::Fd(*descriptor));
  }

  /// The directory; "memory".
  std::string_view where() const { return directory_.empty() ? "memory" : std::string_view(directory_); }

 private:
  explicit TemporaryFiles(std::string directory) : directory_(std::move(directory)) {}

  std::string directory_;
};

} // namespace apps
