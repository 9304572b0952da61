#pragma once
// Shared<T>: one T in memory that this process and its children have in common (Python's multiprocessing.sharedctypes).
//
//   struct Counter { rt::SharedLock lock; long value = 0; };
//   rt::Shared<Counter> counter;
//   rt::Process child([&] { std::lock_guard guard(counter->lock); ++counter->value; });
//
// T is made by the process that makes the Shared, and destroyed by that process only, when its Shared goes. What lies
// in the object is shared; what it points to is not: a std::string's text is memory of the process that assigned it. So
// T is built of numbers, arrays, atomics and the Shared… primitives (a private Lock in it would know its own process
// only).
//
// with_file puts the object into a memory file, for processes that are no children: they get the descriptor and open().

#include <rt/base/panic.hpp>
#include <rt/kernel/process_identity.hpp>
#include <rt/memory/shared_memory.hpp>

#include <concepts>
#include <cstdint>
#include <new>

namespace rt {

template <class T> class Shared {
 public:
  /// A T made of the arguments, in memory that children inherit. Panics when there is none.
  template <class... A>
  requires std::constructible_from<T, A...>
  explicit Shared(A&&... arguments) : Shared(SharedMemory::make(sizeof(T)).value()) {
    construct(std::forward<A>(arguments)...);
  }

  /// The same in a memory file; see descriptor().
  template <class... A> [[nodiscard]] static Result<Shared> with_file(std::string_view name, A&&... arguments) {
    auto memory = SharedMemory::make_file(name, sizeof(T));
    if (!memory) return memory.error();
    Shared shared(std::move(*memory));
    shared.construct(std::forward<A>(arguments)...);
    return shared;
  }

  /// The T of another process, by the descriptor of its file, which stays the caller's. Both must mean the same T:
  /// invalid_argument if the size is another one.
  [[nodiscard]] static Result<Shared> open(int descriptor) {
    auto memory = SharedMemory::open(descriptor);
    if (!memory) return memory.error();
    if (memory->size() != sizeof(T)) return Errc::invalid_argument;
    return Shared(std::move(*memory));
  }

  Shared(Shared&&) noexcept = default;
  Shared& operator=(Shared&&) = delete;
  ~Shared() {
    if (memory_.begin() && owner_ == kernel::process_identity()) get()->~T();
  }

  T* get() const { return std::launder(reinterpret_cast<T*>(memory_.begin())); }
  T& operator*() const { return *get(); }
  T* operator->() const { return get(); }

  /// Of the file, for a process that is to open() it; -1: there is none.
  int descriptor() const { return memory_.descriptor(); }

 private:
  explicit Shared(SharedMemory&& memory) : memory_(std::move(memory)) {}
  template <class... A> void construct(A&&... arguments) {
    ::new (memory_.begin()) T(std::forward<A>(arguments)...);
    owner_ = kernel::process_identity();
  }
  static_assert(alignof(T) <= 4096, "the memory begins with a page");

  SharedMemory memory_;
  std::uint64_t owner_ = 0; // the process that destroys the object
};

} // namespace rt
