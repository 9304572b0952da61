// A manager without libc: its server in a process of its own, its clients in others, in threads and in fibers.

#include "check.hpp"

#include <rt/rt.hpp>

#include <vector>

using namespace std::chrono_literals;
using rt::Errc, rt::Value;

namespace {

/// Runs body(0) to body(count - 1) in processes, and waits for them.
template <class F> void in_processes(int count, F body) {
  std::vector<rt::Process> processes;
  for (int i = 0; i < count; ++i) {
    processes.emplace_back([&body, i] { body(i); });
    processes.back().start().value();
  }
  for (auto& process : processes) {
    process.join();
    CHECK(process.exit_code() == 0);
  }
}

struct Started : rt::Manager {
  Started() { start().value(); }
};

} // namespace

RT_CASE("processes share a dict and a list") {
  Started manager;
  const auto dict = manager.dict().value();
  const auto list = manager.list({0, 1, 2, 3, 4}).value();
  in_processes(10, [&](int i) {
    dict.set(i, "1").value();
    list.append(i).value();
  });
  CHECK(dict.size().value() == 10);
  CHECK(list.size().value() == 15);
}

RT_CASE("updates in one step lose nothing") {
  Started manager;
  const auto dict = manager.dict().value();
  const auto list = manager.list({0}).value();
  in_processes(4, [&](int) {
    for (int i = 0; i < 50; ++i) {
      dict.add("n", 1).value();
      list.add(0, 2).value();
    }
  });
  CHECK(dict.get("n").value() == 200);
  CHECK(list.get(0).value() == 400);
}

RT_CASE("a lock lets one process in at a time, and one that is killed with it gives it back") {
  Started manager;
  const auto lock = manager.lock().value();
  const auto inside = manager.value(0).value();
  in_processes(4, [&](int) {
    for (int i = 0; i < 20; ++i) {
      lock.acquire().value();
      CHECK(inside.add(1).value() == 1);
      CHECK(inside.add(-1).value() == 0);
      lock.release().value();
    }
  });
  rt::Process holder([&] {
    lock.acquire().value();
    for (;;) rt::sleep_for(1s);
  });
  holder.start().value();
  while (!lock.locked().value()) rt::sleep_for(1ms);
  CHECK(lock.release().error() == Errc::not_owner);
  CHECK(!lock.try_acquire().value());
  holder.kill().value();
  CHECK(lock.acquire().ok());
}

RT_CASE("fibers of one thread wait side by side") {
  Started manager;
  const auto queue = manager.queue(1).value();
  auto consumer = rt::spawn([queue] {
    std::int64_t sum = 0;
    for (int i = 0; i < 20; ++i) sum += queue.get().value().integer();
    return sum;
  });
  auto producer = rt::spawn([queue] {
    for (int i = 1; i <= 20; ++i) queue.put(i).value();
  });
  producer.join();
  CHECK(consumer.join() == 210);
}

RT_CASE("a server that is killed is reported by name") {
  Started manager;
  const auto dict = manager.dict().value();
  const auto event = manager.event().value();
  auto waiter = rt::spawn([event] { return event.wait(); });
  rt::sleep_for(5ms);
  rt::kernel::send_signal(manager.pid(), rt::kernel::Signal::sigkill).value();
  CHECK(waiter.join().error() == Errc::server_lost);
  CHECK(dict.set(1, 2).error() == Errc::server_lost);
}

RT_CASE("a remote client needs the key") {
  rt::Manager server({rt::Address::loopback(0), "a secret"});
  server.start().value();
  CHECK(server.address().port() != 0);
  const auto dict = server.dict().value();
  server.publish("shared", dict).value();
  CHECK(dict.set("here", 1).ok());
  const auto remote = rt::Manager::connect(server.address(), "a secret").value();
  CHECK(remote.find<rt::DictProxy>("shared").value().get("here").value() == 1);
  CHECK(rt::Manager::connect(server.address(), "another").error() == Errc::permission_denied);
}
