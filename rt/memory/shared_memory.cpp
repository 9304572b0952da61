#include <rt/memory/shared_memory.hpp>

#include <rt/base/task.hpp>
#include <rt/kernel/file.hpp>

#include <arch/syscall.hpp>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/mman.h>

namespace rt {
namespace {

constexpr int map_anonymous = 0x20; // the same on all CPUs but alpha, mips, parisc and xtensa

Result<int> make_sealed_file(std::string_view name, std::size_t size) {
  const long file =
      arch::syscall(__NR_memfd_create, reinterpret_cast<long>(task_name(name).data()), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) return Error::from_kernel(file);
  long result = arch::syscall(__NR_ftruncate, file, static_cast<long>(size));
  constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW;
  if (result == 0) result = arch::syscall(__NR_fcntl, file, F_ADD_SEALS, seals);
  if (result == 0) return static_cast<int>(file);
  (void)kernel::close_file(static_cast<int>(file));
  return Error::from_kernel(result);
}

} // namespace

Result<SharedMemory> SharedMemory::map(std::size_t size, int flags, int descriptor) {
  const long begin =
      arch::syscall(__NR_mmap, 0, static_cast<long>(size), PROT_READ | PROT_WRITE, MAP_SHARED | flags, descriptor, 0);
  if (begin < 0) return Error::from_kernel(begin);
  return SharedMemory(reinterpret_cast<char*>(begin), size, -1);
}

Result<SharedMemory> SharedMemory::make(std::size_t size) { return map(size, map_anonymous, -1); }

Result<SharedMemory> SharedMemory::make_file(std::string_view name, std::size_t size) {
  const auto file = make_sealed_file(name, size);
  if (!file) return file.error();
  auto memory = map(size, 0, *file);
  if (memory)
    memory->descriptor_ = *file;
  else
    (void)kernel::close_file(*file);
  return memory;
}

Result<SharedMemory> SharedMemory::open(int descriptor) {
  constexpr int from_end = 2; // SEEK_END
  const long size = arch::syscall(__NR_lseek, descriptor, 0, from_end);
  if (size < 0) return Error::from_kernel(size);
  return map(static_cast<std::size_t>(size), 0, descriptor);
}

void SharedMemory::unmap() {
  if (begin_) arch::syscall(__NR_munmap, reinterpret_cast<long>(begin_), static_cast<long>(size_));
  if (descriptor_ >= 0) (void)kernel::close_file(descriptor_);
}

} // namespace rt
