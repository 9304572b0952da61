// Unsafe list: two threads empty a list, and look at its last element before they remove it.
//
// Between the two steps the other thread does the same, so both take the same element and remove one that nobody has
// looked at. Each step alone is atomic, which does not help. A Lock around both steps does, and so does a Queue, whose
// get() is both in one.

#include "options.hpp"

#include <rt/sync/lock.hpp>
#include <rt/sync/queue.hpp>
#include <rt/thread/thread.hpp>

#include <atomic>
#include <mutex>

using namespace std::chrono_literals;

namespace {

constexpr int elements = 10;

/// The numbers from 1 on. Relaxed atomics: the race is in how the list is used, not in what the language allows.
class List {
 public:
  std::optional<int> last() const {
    const int size = size_.load(std::memory_order_relaxed);
    if (size <= 0) return {};
    return size;
  }
  void remove_last() { size_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  std::atomic<int> size_ = elements;
};

std::optional<int> take_from(List& list) {
  const std::optional<int> element = list.last();
  if (element) {
    apps::pause(50ms);
    list.remove_last();
  }
  return element;
}

/// Two threads take elements until there are no more. Returns how many were not taken exactly once.
template <class Take> int count_failures(const char* how, Take take) {
  rt::println("{}:", how);
  std::atomic<int> taken[elements + 1] = {};
  const auto empty_it = [&](int number) {
    while (const std::optional<int> element = take()) {
      rt::println("  thread {} takes {}", number, *element);
      ++taken[*element];
      apps::pause(50ms);
    }
  };
  rt::Thread first(empty_it, 1), second(empty_it, 2);
  first.start().value();
  second.start().value();
  first.join();
  second.join();

  int failures = 0;
  for (int element = 1; element <= elements; ++element) {
    const int times = taken[element];
    if (times == 1) continue;
    ++failures;
    rt::println("  error: {} was {}", element, times == 0 ? "lost" : "taken twice");
  }
  rt::println("{}, failures: {}", how, failures);
  return failures;
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Unsafe list: two threads take the same element, until a lock or a queue helps.");
  if (const auto status = options.finish()) return *status;

  List unsafe;
  count_failures("without a lock", [&] { return take_from(unsafe); });

  List locked;
  rt::Lock lock;
  int failures = count_failures("with a Lock", [&] {
    const std::lock_guard guard(lock);
    return take_from(locked);
  });

  rt::Queue<int> queue(elements);
  for (int element = 1; element <= elements; ++element) queue.put(element).value();
  failures += count_failures("with a Queue", [&]() -> std::optional<int> {
    const rt::Result<int> element = queue.try_get();
    return element ? std::optional(*element) : std::nullopt;
  });
  rt::println("end");
  return failures == 0 ? 0 : 1;
}
