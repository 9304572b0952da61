// Buffered input and output: what read(2) and write(2) move goes through the kernel's page cache, and is copied between
// there and the program each time. The same file is copied in several ways, which differ in how often that happens.
//
//   way                          copies between kernel and program
//   read and write               each byte twice: into the buffer, and out of it
//   write from a mapping         once: the page cache of the source is the program's own memory
//   memcpy between mappings      none by the kernel: the program copies each byte once, from page cache to page cache
//   sendfile, splice,            none: bytes go, or pages are moved, within the kernel
//   copy_file_range              none; a file system may even let both files share the data
//   read and write, direct       none: the device itself fills the program's buffer, and empties it

#include "options.hpp"
#include "standard_files.hpp"
#include "temporary_file.hpp"

#include <rt/kernel/seekable.hpp>

#include <linux/fcntl.h>
#include <memory>

using namespace std::chrono_literals;
using rt::Errc, rt::Result;

namespace {

constexpr std::string_view name = "19_buffered_io";
constexpr std::size_t block = 4096, buffer_size = 64 * 1024;

/// How a copy went.
struct Count {
  std::uint64_t through_program = 0; ///< bytes that the processor copied between kernel and program, or in the program
  unsigned calls = 0;                ///< system calls
};

struct alignas(block) Buffer {
  char bytes[buffer_size];
};

using Step = Result<std::size_t> (*)(int from, int to, std::size_t size);

/// Calls the step, which moves some bytes, until there are no more.
Result<Count> repeat(Step step, int from, int to) {
  Count count;
  for (;;) {
    const auto moved = step(from, to, 1 << 20);
    ++count.calls;
    if (moved.error() == Errc::interrupted) continue;
    if (!moved) return moved.error();
    if (*moved == 0) return count;
  }
}

/// With a buffer; each block of it is moved to the program and from there.
Result<Count> copy_by_read_and_write(int from, int to, std::uint64_t copies) {
  const auto buffer = std::make_unique_for_overwrite<Buffer>();
  Count count;
  for (;;) {
    const auto got = rt::kernel::read_file(from, buffer->bytes);
    ++count.calls;
    if (got.error() == Errc::interrupted) continue;
    if (!got) return got.error();
    if (*got == 0) return count;
    count.through_program += copies * *got;
    for (std::size_t done = 0; done < *got;) {
      const auto put = rt::kernel::write_file(to, std::span(buffer->bytes).subspan(done, *got - done));
      ++count.calls;
      if (!put && put.error() != Errc::interrupted) return put.error();
      done += put.value_or(0u);
    }
  }
}

Result<Count> read_and_write(int from, int to, std::size_t) { return copy_by_read_and_write(from, to, 2); }

Result<Count> direct(int from, int to, std::size_t) {
  for (const int file : {from, to})
    if (const auto done = rt::kernel::bypass_page_cache(file); !done) return done.error();
  return copy_by_read_and_write(from, to, 0);
}

Result<Count> write_from_mapping(int from, int to, std::size_t size) {
  const auto source = rt::kernel::map_file(from, size, false);
  if (!source) return source.error();
  Count count{size, 2};
  Result<void> failed;
  for (auto rest = *source; !rest.empty() && failed;) {
    const auto put = rt::kernel::write_file(to, rest);
    ++count.calls;
    if (put)
      rest = rest.subspan(*put);
    else if (put.error() != Errc::interrupted)
      failed = put.error();
  }
  rt::kernel::unmap_file(*source);
  return failed ? Result<Count>(count) : failed.error();
}

Result<Count> copy_between_mappings(int from, int to, std::size_t size) {
  if (const auto resized = rt::kernel::resize_file(to, size); !resized) return resized.error();
  const auto source = rt::kernel::map_file(from, size, false);
  if (!source) return source.error();
  const auto target = rt::kernel::map_file(to, size, true);
  if (target) std::copy(source->begin(), source->end(), target->begin());
  rt::kernel::unmap_file(*source);
  if (!target) return target.error();
  rt::kernel::unmap_file(*target);
  return Count{size, 5};
}

Result<Count> by_sendfile(int from, int to, std::size_t) { return repeat(rt::kernel::copy_by_sendfile, from, to); }

Result<Count> by_copy_file_range(int from, int to, std::size_t) {
  return repeat(rt::kernel::copy_file_range, from, to);
}

/// Pages go from the file into a pipe, and from there into the other file.
Result<Count> by_splice(int from, int to, std::size_t) {
  const auto ends = rt::kernel::make_pipe(O_CLOEXEC);
  if (!ends) return ends.error();
  const rt::Fd out(ends->read), in(ends->write);
  Count count;
  for (;;) {
    const auto filled = rt::kernel::splice(from, in.number(), buffer_size);
    ++count.calls;
    if (!filled) return filled.error();
    if (*filled == 0) return count;
    for (std::size_t left = *filled; left > 0;) {
      const auto emptied = rt::kernel::splice(out.number(), to, left);
      ++count.calls;
      if (!emptied) return emptied.error();
      left -= *emptied;
    }
  }
}

struct Way {
  std::string_view name;
  Result<Count> (*copy)(int from, int to, std::size_t size);
};
constexpr Way ways[] = {{"read and write", read_and_write},
                        {"write from a mapping", write_from_mapping},
                        {"memcpy between mappings", copy_between_mappings},
                        {"sendfile", by_sendfile},
                        {"splice through a pipe", by_splice},
                        {"copy_file_range", by_copy_file_range},
                        {"read and write, direct", direct}};

/// Fills the file with bytes that differ from place to place.
Result<void> fill(const rt::File& file, std::size_t size) {
  const auto buffer = std::make_unique_for_overwrite<Buffer>();
  std::uint32_t state = 1;
  for (std::size_t place = 0; place < size; place += buffer_size) {
    for (char& byte : buffer->bytes) byte = static_cast<char>((state = state * 1'664'525 + 1'013'904'223) >> 24);
    if (const auto written = file.write_at(buffer->bytes, place); !written) return written;
  }
  return file.sync();
}

Result<bool> same(const rt::File& a, const rt::File& b, std::size_t size) {
  const auto left = std::make_unique_for_overwrite<Buffer>(), right = std::make_unique_for_overwrite<Buffer>();
  for (std::size_t place = 0; place < size; place += buffer_size) {
    const auto got_left = a.read_at(left->bytes, place), got_right = b.read_at(right->bytes, place);
    if (!got_left || !got_right) return got_left ? got_right.error() : got_left.error();
    if (*got_left != buffer_size || *got_right != buffer_size) return false;
    if (!std::equal(left->bytes, left->bytes + buffer_size, right->bytes)) return false;
  }
  return true;
}

/// One row of the table. False: the copy is wrong.
Result<bool> show(const Way& way, rt::File& source, const apps::TemporaryFiles& files, std::size_t size) {
  auto target = files.make();
  if (!target) return target.error();
  // A descriptor of its own for the source would share the position and the mode; both are put back instead.
  if (const auto begun = source.seek(0); !begun) return begun.error();
  const auto begin = rt::Clock::now();
  const auto count = way.copy(source.number(), target->number(), size);
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(rt::Clock::now() - begin);
  if (!count) {
    rt::println("{:<26}not possible here: {}", way.name, count.error());
    return true;
  }
  rt::println("{:<26}{:>12} {:>8} {:>10}", way.name, count->through_program, count->calls, time);
  return same(source, *target, size);
}

int demonstrate(std::optional<std::string_view> directory, unsigned mebibytes) {
  const auto complain = [](std::string_view what, rt::Error error) {
    rt::eprintln("{}: {}: {}", name, what, error);
    return 1;
  };
  const auto files = apps::TemporaryFiles::find(directory);
  if (!files) return complain("cannot make a temporary file", files.error());
  const std::size_t size = std::size_t{mebibytes} << 20;
  rt::println("a file of {} bytes, in {}, is copied", size, files->where());
  rt::println("{:<26}{:>12} {:>8} {:>10}", "", "bytes copied", "system", "");
  rt::println("{:<26}{:>12} {:>8} {:>10}", "way", "by program", "calls", "time");
  auto source = files->make();
  if (!source) return complain("cannot make a temporary file", source.error());
  if (const auto filled = fill(*source, size); !filled) return complain("cannot fill the file", filled.error());
  for (const Way& way : ways) {
    const auto right = show(way, *source, *files, size);
    if (!right) return complain("cannot copy the file", right.error());
    if (!*right) {
      rt::eprintln("{}: the copy by {} differs from the file", name, way.name);
      return 1;
    }
  }
  rt::println("end");
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv,
                        "Buffered I/O: a file is copied in seven ways; bytes copied through the program, and times.");
  const auto directory = options.text("--directory", "DIR", "where the files are made");
  const auto size = options.number("--size", "MIB", "of the file, in MiB: 8 if not given", 1, 4096);
  if (const auto status = options.finish()) return *status;
  apps::occupy_standard_files();
  return demonstrate(directory, size.value_or(8));
}
