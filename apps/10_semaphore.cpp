// Semaphore: as many threads may be inside at once as it has permits; the others wait.
//
// A hundred threads pass through a room for five, and the program measures how many were inside at most. Then a
// BoundedSemaphore refuses a permit that nobody had taken.

#include "options.hpp"

#include <rt/sync/semaphore.hpp>
#include <rt/thread/thread.hpp>

#include <atomic>

using namespace std::chrono_literals;

namespace {

constexpr int visitors = 100, places = 5;

constinit struct Room {
  rt::Semaphore semaphore{places};
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
} room;

class Visitor : public rt::Thread {
  void run() override {
    room.semaphore.acquire();
    const int now = ++room.inside;
    for (int most = room.most; now > most && !room.most.compare_exchange_weak(most, now);) {
    }
    rt::println("{} is inside, one of {}", name(), now);
    apps::pause(500ms);
    --room.inside;
    room.semaphore.release();
  }
};

std::string_view outcome(const rt::Result<void>& result) { return result.ok() ? "done" : result.error().message(); }

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Semaphore: a hundred threads, and never more than five inside at once.");
  if (const auto status = options.finish()) return *status;
  {
    Visitor threads[visitors];
    for (auto& thread : threads) thread.start().value();
    for (auto& thread : threads) thread.join();
  }
  const int most = room.most;
  rt::println("{} threads passed, at most {} were inside at once (allowed: {})", visitors, most, places);

  rt::BoundedSemaphore bounded(1);
  bounded.acquire();
  rt::println("BoundedSemaphore, first release: {}", outcome(bounded.release()));
  rt::println("BoundedSemaphore, one too many: {}", outcome(bounded.release()));
  rt::println("end");
  return most <= places ? 0 : 1;
}
