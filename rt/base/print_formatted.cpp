#include <rt/base/print.hpp>

#include <arch/syscall.hpp>

#include <linux/mman.h>

namespace rt::formatting {

namespace {

struct DescriptorOutput : Output {
  int descriptor;

  DescriptorOutput(std::span<char> buffer, int file)
      : Output(buffer, [](Output& out) { static_cast<DescriptorOutput&>(out).flush(false); }), descriptor(file) {}
  void flush(bool newline) {
    write_text(text(), descriptor, newline);
    clear();
  }
};

} // namespace

/// A text that is longer than the buffer is formatted again, into memory from the kernel. If there is none, it is
/// written in pieces rather than lost.
static void print_long(std::span<char> buffer, std::size_t size, const char* format, const Argument* arguments,
                       int descriptor, bool newline) {
  long address =
      arch::syscall(__NR_mmap, 0, static_cast<long>(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  bool mapped = static_cast<unsigned long>(address) < -4095ul;
  if (mapped) buffer = {reinterpret_cast<char*>(address), size};
  DescriptorOutput out(buffer, descriptor);
  format_arguments(out, format, arguments);
  out.flush(newline);
  if (mapped) arch::syscall(__NR_munmap, address, static_cast<long>(size));
}

void print_arguments(const char* format, const Argument* arguments, int descriptor, bool newline) {
  char buffer[1024];
  Output out(buffer);
  format_arguments(out, format, arguments);
  if (out.size() <= sizeof buffer)
    write_text(out.text(), descriptor, newline);
  else
    print_long(buffer, out.size(), format, arguments, descriptor, newline);
}

} // namespace rt::formatting
