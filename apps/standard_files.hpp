#pragma once
// Standard files that were closed before the program was started.

#include <rt/kernel/file.hpp>

#include <linux/fcntl.h>

namespace apps {

/// Takes their places: a socket there would get what is printed. Nothing can be written to a directory.
inline void occupy_standard_files() {
  for (;;) {
    const auto place = rt::kernel::open_file("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (place && *place <= 2) continue;
    if (place) (void)rt::kernel::close_file(*place);
    return;
  }
}

} // namespace apps
