// Recursive lock: its owner may take it again, and others get it when it has been given back as often.
//
// Three threads use two resources, A and B, one inside the other, in both orders. One RLock guards both: whoever holds
// it can take it for the second resource without waiting for itself.
//
// --deadlock does the same with a plain lock for each resource: two threads take them in opposite order, each gets one
// and waits for the other's for ever. The runtime notices, says who holds what and who waits for what, and aborts.

#include "options.hpp"

#include <rt/sync/event.hpp>
#include <rt/sync/lock.hpp>
#include <rt/sync/rlock.hpp>
#include <rt/thread/thread.hpp>

#include <mutex>

using namespace std::chrono_literals;

namespace {

class User : public rt::Thread {
 public:
  User(rt::RLock& lock, rt::Clock::time_point start) : lock_(lock), start_(start) {}

 private:
  void run() override {
    use('A', 'B');
    use('B', 'A');
  }

  void use(char first, char second) {
    const std::lock_guard outer(lock_);
    rt::println("{:>6}  {} holds {} (depth {})", now(), name(), first, lock_.depth());
    apps::pause(1s);
    {
      const std::lock_guard inner(lock_);
      rt::println("{:>6}  {} holds {} and {} (depth {})", now(), name(), first, second, lock_.depth());
      apps::pause(500ms);
    }
    rt::println("{:>6}  {} gives both back", now(), name());
  }

  std::chrono::milliseconds now() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(rt::Clock::now() - start_);
  }

  rt::RLock& lock_;
  const rt::Clock::time_point start_;
};

int share_an_rlock() {
  rt::RLock lock;
  const auto start = rt::Clock::now();
  User users[] = {{lock, start}, {lock, start}, {lock, start}};
  for (auto& user : users) user.start().value();
  for (auto& user : users) user.join();
  rt::println("end");
  return 0;
}

struct Resource {
  char name;
  rt::Lock lock;
  rt::Event taken;
};

void use(const char* who, Resource& first, Resource& second) {
  const std::lock_guard outer(first.lock);
  rt::println("{} holds {}", who, first.name);
  first.taken.set();
  apps::pause(1s);
  second.taken.wait(); // so that the dead lock does not depend on how fast the threads are
  rt::println("{} wants {}", who, second.name);
  const std::lock_guard inner(second.lock);
  rt::println("{} holds both", who);
}

int lock_each_other_out() {
  Resource a{'A', {}, {}}, b{'B', {}, {}};
  rt::println("lock A is {}, lock B is {}", static_cast<void*>(&a.lock), static_cast<void*>(&b.lock));
  rt::Thread ann({.name = "Ann"}, [&] { use("Ann", a, b); });
  rt::Thread bob({.name = "Bob"}, [&] { use("Bob", b, a); });
  ann.start().value();
  bob.start().value();
  ann.join();
  bob.join();
  rt::println("end");
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Recursive lock: its owner takes it again, others wait until all is given back.");
  const bool deadlock = options.flag("--deadlock", "use two plain locks in opposite order, and see the report");
  if (const auto status = options.finish()) return *status;
  return deadlock ? lock_each_other_out() : share_an_rlock();
}
