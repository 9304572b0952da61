// Fibers, threads, generators and greenlets that begin and end all the time: none is lost, and what each holds is
// destroyed once.

#include "mixture.hpp"

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

using namespace stress;

TEST_CASE("threads are started and joined by fibers") {
  std::atomic<long> started = 0, ran = 0;
  mix(
      [&](Turn& turn) {
        if (turn.below(8)) return rt::yield();
        rt::Thread thread([&, with_hub = turn.below(2) == 0] {
          if (with_hub)
            rt::spawn([&] { ++ran; }).join();
          else
            ++ran;
        });
        if (!thread.start()) return;
        ++started;
        (void)thread.join_for(turn.timeout());
        (void)thread.is_alive();
        thread.join();
      },
      nothing);
  CHECK(ran == started);
  CHECK(ran > 0);
}

TEST_CASE("storms of fibers end, with or without a handle, canceled or not") {
  std::atomic<long> spawned = 0, ended = 0, destroyed = 0;
  struct Counted {
    std::atomic<long>* count;
    explicit Counted(std::atomic<long>& counter) : count(&counter) {}
    Counted(Counted&& other) noexcept : count(std::exchange(other.count, nullptr)) {}
    ~Counted() {
      if (count) ++*count;
    }
  };
  mix(
      [&](Turn& turn) {
        std::vector<rt::Fiber<Counted>> kept;
        // Without a bound they took gigabytes under ThreadSanitizer, to which each is a thread.
        for (unsigned i = turn.below(10); i > 0 && spawned - ended < 300; --i) {
          ++spawned;
          rt::FiberOptions options;
          if (turn.below(16) == 0) options.stack_size = std::size_t{1} << (15 + turn.below(5)); // another pool
          auto fiber = rt::spawn(options, [&, nap = turn.timeout(), way = turn.below(3)] {
            if (way == 0) rt::sleep_for(nap);
            if (way == 1) rt::yield();
            ++ended;
            return Counted(destroyed);
          });
          if (turn.below(4) == 0) fiber.cancel();
          if (turn.below(2)) kept.push_back(std::move(fiber));
        }
        if (turn.below(2)) (void)rt::joinall(kept, turn.timeout());
      },
      nothing);
  CHECK(spawned == ended);
  CHECK(spawned == destroyed);
  CHECK(spawned > 0);
}

TEST_CASE("generators and greenlets block and end within fibers") {
  rt::Lock lock;
  Guarded guarded;
  std::atomic<long> made = 0, ended = 0;
  struct Local {
    std::atomic<long>& count;
    ~Local() { ++count; }
  };
  mix(
      [&](Turn& turn) {
        ++made;
        if (turn.below(2)) {
          rt::Generator<int> numbers([&](auto& yield) {
            const Local local{ended};
            for (int i = 0;; ++i) {
              {
                const std::lock_guard guard(lock);
                guarded.use(turn);
              }
              if (!yield(i)) return;
            }
          });
          const int count = 1 + static_cast<int>(turn.below(4));
          for (int i = 0; i < count; ++i)
            if (numbers.next() != i) guarded.value = -1'000'000'000;
        } else {
          rt::Greenlet& root = rt::Greenlet::current();
          rt::Greenlet other([&] {
            const Local local{ended};
            while (!rt::Greenlet::current().killed()) {
              {
                const std::lock_guard guard(lock);
                guarded.use(turn);
              }
              root.switch_to();
            }
          });
          for (unsigned i = 1 + turn.below(4); i > 0; --i) other.switch_to();
        }
      },
      nothing);
  CHECK(guarded.value == guarded.taken);
  CHECK(made == ended);
  CHECK(made > 0);
}
