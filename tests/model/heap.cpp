// rt's heap and its stacks for fibers, in the simulated memory.

#include <rt/memory/heap.hpp>
#include <rt/memory/stack_pool.hpp>

#include <new>

namespace rt {

void* heap::allocate(std::size_t size, std::size_t alignment) {
  return ::operator new (size, std::align_val_t{alignment});
}

void heap::deallocate(void* block) { ::operator delete (block, std::align_val_t{default_alignment}); }

Result<memory::Stack*> memory::take_stack(std::size_t) {
  constexpr std::size_t size = 32 << 10;
  auto* const begin = static_cast<char*>(heap::allocate(size, 64));
  return new Stack{begin, begin + size, nullptr, 0, false};
}

bool memory::fits(const Stack&, std::size_t) { return true; }

void memory::give_stack(Stack* stack) {
  heap::deallocate(stack->begin);
  delete stack;
}

} // namespace rt
