#pragma once
// Atomic: what stands for std::atomic in the sources under test. Each access is handed to the simulated memory, which
// first lets the scheduler choose who goes on, and then which of the values that C++ permits a load returns.
//
// The object itself holds the newest value: the one that the simulated kernel looks at. It has no destructor, as
// std::atomic of an integer has none: memory.cpp learns otherwise when an object is gone.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace model {

/// Where the program under test makes an access.
struct Site {
  const char* file;
  int line;
  const char* function;

  static constexpr Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE(),
                             const char* function = __builtin_FUNCTION()) {
    return {file, line, function};
  }
};

/// One access; values are widened to 64 bits.
struct Access {
  void* address;
  std::size_t size;
  std::memory_order order;
  Site site;
};

enum class Change : std::uint8_t { exchange, add, subtract, bit_and, bit_or, bit_xor };

void atomic_construct(void* address, std::size_t size);
std::uint64_t atomic_load(const Access& access);
void atomic_store(const Access& access, std::uint64_t value);
/// Returns the old value.
std::uint64_t atomic_change(const Access& access, Change change, std::uint64_t operand);
/// `access.order` is the order on success.
bool atomic_compare_exchange(const Access& access, std::memory_order failure, std::uint64_t& expected,
                             std::uint64_t desired, bool weak);

template <class T> class Atomic {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  using Order = std::memory_order;
  static constexpr Order strongest = std::memory_order_seq_cst;

 public:
  using value_type = T;

  constexpr Atomic() : Atomic(T()) {}
  constexpr Atomic(T value) : value_(value) {
    if (!std::is_constant_evaluated()) atomic_construct(this, sizeof(T));
  }
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(Order order = strongest, Site site = Site::here()) const { return narrow(atomic_load(access(order, site))); }
  void store(T value, Order order = strongest, Site site = Site::here()) {
    atomic_store(access(order, site), widen(value));
  }
  T exchange(T value, Order order = strongest, Site site = Site::here()) {
    return change(Change::exchange, value, order, site);
  }
  T fetch_add(T value, Order order = strongest, Site site = Site::here()) {
    return change(Change::add, value, order, site);
  }
  T fetch_sub(T value, Order order = strongest, Site site = Site::here()) {
    return change(Change::subtract, value, order, site);
  }
  T fetch_and(T value, Order order = strongest, Site site = Site::here()) {
    return change(Change::bit_and, value, order, site);
  }
  T fetch_or(T value, Order order = strongest, Site site = Site::here()) {
    return change(Change::bit_or, value, order, site);
  }
  T fetch_xor(T value, Order order = strongest, Site site = Site::here()) {
    return change(Change::bit_xor, value, order, site);
  }
  bool compare_exchange_strong(T& expected, T desired, Order success, Order failure, Site site = Site::here()) {
    return compare_exchange(expected, desired, success, failure, false, site);
  }
  bool compare_exchange_strong(T& expected, T desired, Order order = strongest, Site site = Site::here()) {
    return compare_exchange(expected, desired, order, on_failure(order), false, site);
  }
  bool compare_exchange_weak(T& expected, T desired, Order success, Order failure, Site site = Site::here()) {
    return compare_exchange(expected, desired, success, failure, true, site);
  }
  bool compare_exchange_weak(T& expected, T desired, Order order = strongest, Site site = Site::here()) {
    return compare_exchange(expected, desired, order, on_failure(order), true, site);
  }

 private:
  static constexpr Order on_failure(Order order) {
    return order == std::memory_order_acq_rel   ? std::memory_order_acquire
           : order == std::memory_order_release ? std::memory_order_relaxed
                                                : order;
  }
  static std::uint64_t widen(T value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    return bits;
  }
  static T narrow(std::uint64_t bits) {
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  Access access(Order order, Site site) const { return {const_cast<Atomic*>(this), sizeof(T), order, site}; }
  T change(Change change, T operand, Order order, Site site) {
    return narrow(atomic_change(access(order, site), change, widen(operand)));
  }
  bool compare_exchange(T& expected, T desired, Order success, Order failure, bool weak, Site site) {
    std::uint64_t bits = widen(expected);
    const bool done = atomic_compare_exchange(access(success, site), failure, bits, widen(desired), weak);
    expected = narrow(bits);
    return done;
  }

  alignas(sizeof(T)) T value_;
};

} // namespace model
