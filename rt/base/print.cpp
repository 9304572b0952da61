#include <rt/base/print.hpp>

#include <arch/syscall.hpp>

#include <asm/errno.h>
#include <asm/poll.h>
#include <linux/uio.h>

namespace rt {

// Neither function may use the stack protector, which reads its canary through the thread pointer.

/// One writev. When it is interrupted or would block, waits until the descriptor can be written, and returns 0.
/// (A function of its own, because in the loop the compiler would save registers to keep the constants in.)
[[gnu::noinline]] __attribute__((no_stack_protector)) static long write_parts(int descriptor, const iovec* parts) {
  long written = arch::syscall(__NR_writev, descriptor, reinterpret_cast<long>(parts), 2);
  if (written != -EAGAIN && written != -EINTR) return written;
  pollfd ready = {descriptor, POLLOUT, 0};
  arch::syscall(__NR_ppoll, reinterpret_cast<long>(&ready), 1, 0, 0);
  return 0;
}

__attribute__((no_stack_protector)) void write_text(std::string_view text, int descriptor, bool newline) {
  iovec parts[] = {{const_cast<char*>(text.data()), text.size()}, {const_cast<char*>("\n"), newline}};
  for (;;) {
    long written = write_parts(descriptor, parts);
    parts[0].iov_len -= static_cast<unsigned long>(written);
    // The newline is one byte, and the last: as long as something is left, all of it is.
    if (written < 0 || static_cast<long>(parts[0].iov_len + parts[1].iov_len) <= 0) return;
    parts[0].iov_base = static_cast<char*>(parts[0].iov_base) + written;
  }
}

} // namespace rt
