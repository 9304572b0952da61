// Event: a flag that any number of threads wait for, and that anyone sets and clears.
//
// Five workers wait. The boss sets the event and all of them go on; the last one to react clears it, and all wait
// again until the boss sets it for the second time.

#include "options.hpp"

#include <rt/sync/event.hpp>
#include <rt/thread/thread.hpp>

#include <atomic>

using namespace std::chrono_literals;

namespace {

constexpr int workers = 5;

struct Office {
  rt::Event order;
  rt::Event cleared; // nobody comes to wait for the second order while the first one is still there
  std::atomic<int> reactions = 0;
};

void work(int number, Office& office) {
  rt::println("Worker {}: waits for an order", number);
  office.order.wait();
  rt::println("Worker {}: oh no, not again! (is_set() is {})", number, office.order.is_set());
  apps::pause(1s);
  if (++office.reactions == workers) {
    office.order.clear();
    rt::println("Worker {}: clears the event; everybody waits again", number);
    office.cleared.set();
  }
  office.cleared.wait();
  office.order.wait();
  rt::println("Worker {}: hooray!", number);
}

void command(Office& office) {
  apps::pause(500ms);
  rt::println("Boss: we all work late today (is_set() is {})", office.order.is_set());
  office.order.set();
  apps::pause(3s);
  office.cleared.wait();
  rt::println("Boss: done, tomorrow is a holiday (is_set() is {})", office.order.is_set());
  office.order.set();
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Event: five workers wait for a flag that the boss sets, twice.");
  if (const auto status = options.finish()) return *status;

  Office office;
  const auto worker = [&office](int number) { return rt::Thread([&office, number] { work(number, office); }); };
  rt::Thread threads[] = {worker(1), worker(2), worker(3), worker(4), worker(5), rt::Thread([&] { command(office); })};
  for (auto& thread : threads) thread.start().value();
  for (auto& thread : threads) thread.join();
  rt::println("end");
  return 0;
}
