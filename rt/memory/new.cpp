// operator new and delete on the heap: every replaceable form ([new.delete] in the C++ standard).
//
// Nothing throws: the forms that would throw std::bad_alloc panic, the nothrow forms return nullptr. There are no new
// handlers. A size given to delete is not needed: the heap knows it.

#include <rt/base/panic.hpp>
#include <rt/memory/heap.hpp>

#include <new>

namespace {

void* allocate_or_panic(std::size_t size, std::size_t alignment) {
  void* block = rt::heap::allocate(size, alignment);
  if (!block) [[unlikely]]
    rt::panic("out of memory: {} bytes", size);
  return block;
}

} // namespace

const std::nothrow_t std::nothrow{};

void* operator new(std::size_t size) { return allocate_or_panic(size, rt::heap::default_alignment); }
void* operator new[](std::size_t size) { return allocate_or_panic(size, rt::heap::default_alignment); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_panic(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate_or_panic(size, static_cast<std::size_t>(alignment));
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return rt::heap::allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return rt::heap::allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return rt::heap::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return rt::heap::allocate(size, static_cast<std::size_t>(alignment));
}

void operator delete(void* block) noexcept { rt::heap::deallocate(block); }
void operator delete[](void* block) noexcept { rt::heap::deallocate(block); }
void operator delete(void* block, std::size_t) noexcept { rt::heap::deallocate(block); }
void operator delete[](void* block, std::size_t) noexcept { rt::heap::deallocate(block); }
void operator delete(void* block, std::align_val_t) noexcept { rt::heap::deallocate(block); }
void operator delete[](void* block, std::align_val_t) noexcept { rt::heap::deallocate(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { rt::heap::deallocate(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { rt::heap::deallocate(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { rt::heap::deallocate(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { rt::heap::deallocate(block); }
void operator delete(void* block, std::align_val_t, const std::nothrow_t&) noexcept { rt::heap::deallocate(block); }
void operator delete[](void* block, std::align_val_t, const std::nothrow_t&) noexcept { rt::heap::deallocate(block); }
