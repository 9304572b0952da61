// Manager: a server process holds objects, and other processes use them through proxies.
//
// Ten processes each set a key of a dict and append to a list. Then two processes use one object of each other kind. In
// the end a dict holds a list: the list's proxy is stored in it, and got back.

#include "options.hpp"

#include <rt/process/manager.hpp>

#include <memory>
#include <vector>

using namespace std::chrono_literals;
using rt::Value;

namespace {

/// Runs body(0) to body(count - 1) in processes, and waits for them. Returns whether all of them ended well.
template <class F> bool in_processes(int count, F body) {
  std::vector<std::unique_ptr<rt::Process>> processes;
  for (int i = 0; i < count; ++i) {
    processes.push_back(std::make_unique<rt::Process>([&body, i] { body(i); }));
    processes.back()->start().value();
  }
  bool all = true;
  for (auto& process : processes) {
    process->join();
    all = all && process->exit_code() == 0;
  }
  return all;
}

bool fill(const rt::Manager& manager) {
  const auto dict = manager.dict().value();
  const auto list = manager.list({0, 1, 2, 3, 4}).value();
  const bool all = in_processes(10, [&](int i) {
    dict.set(i, "1").value();
    list.append(i).value();
  });
  rt::println("dict: {}", dict.copy().value());
  rt::println("list: {}", list.copy().value());
  return all && dict.size().value() == 10 && list.size().value() == 15;
}

/// Each of two processes does the same with the object, and says what it has seen.
template <class F> bool in_two(const char* kind, F use) {
  return in_processes(2, [&](int i) {
    const Value seen = use(i);
    rt::println("{}: process {} {}", kind, i + 1, seen.text());
  });
}

Value text(bool condition, const char* yes, const char* no) { return condition ? yes : no; }

bool use_locks(const rt::Manager& manager) {
  const auto inside = manager.value(0).value();
  const auto alone = [&] {
    const bool first = inside.add(1).value() == 1;
    apps::pause(50ms);
    return inside.add(-1).value() == 0 && first;
  };
  const auto use = [&](const auto& lock, unsigned depth) {
    for (unsigned i = 0; i < depth; ++i) lock.acquire().value();
    const bool was_alone = alone();
    for (unsigned i = 0; i < depth; ++i) lock.release().value();
    return text(was_alone, "was alone in it", "was not alone in it");
  };
  const auto lock = manager.lock().value();
  const auto rlock = manager.rlock().value();
  const auto semaphore = manager.semaphore(1).value();
  const auto bounded = manager.bounded_semaphore(1).value();
  const bool all = in_two("Lock", [&](int) { return use(lock, 1); }) &&
                   in_two("RLock", [&](int) { return use(rlock, 2); }) &&
                   in_two("Semaphore", [&](int) { return use(semaphore, 1); }) &&
                   in_two("BoundedSemaphore", [&](int) { return use(bounded, 1); });
  const auto released = bounded.release();
  if (!released) rt::println("BoundedSemaphore: {}", released.error());
  return all && !released;
}

bool use_signals(const rt::Manager& manager) {
  const auto event = manager.event().value();
  const auto barrier = manager.barrier(2).value();
  const auto condition = manager.condition().value();
  const auto turn = manager.value(0).value();
  return in_two("Event",
                [&](int i) {
                  if (i == 0) return event.wait().value(), Value("has waited for it");
                  apps::pause(100ms);
                  return event.set().value(), Value("has set it");
                }) &&
         in_two("Barrier",
                [&](int) {
                  return text(barrier.wait().value() == 0, "came first, and waited", "came last, and opened it");
                }) &&
         in_two("Condition", [&](int i) {
           condition.acquire().value();
           if (i == 0) {
             condition.wait([&] { return turn.get().value() == 1; }).value();
           } else {
             turn.set(1).value();
             condition.notify_one().value();
           }
           condition.release().value();
           return text(i == 0, "was notified", "has notified");
         });
}

bool use_data(const rt::Manager& manager) {
  const auto name_space = manager.name_space().value();
  const auto queue = manager.queue(1).value();
  const auto value = manager.value(40).value();
  const auto array = manager.array(2).value();
  const bool all = in_two("Namespace",
                          [&](int i) {
                            name_space.set(i == 0 ? "first" : "second", i + 1).value();
                            return Value("has set a name");
                          }) &&
                   in_two("Queue",
                          [&](int i) {
                            if (i == 0) return queue.put("hello").value(), Value("has put hello");
                            return text(queue.get().value() == "hello", "has got hello", "has got something else");
                          }) &&
                   in_two("Value", [&](int) { return value.add(1).value(), Value("has added 1"); }) &&
                   in_two("Array", [&](int i) { return array.set(i, i + 1).value(), Value("has set an item"); });
  rt::println("Namespace {}, Value {}, Array {}", name_space.copy().value(), value.get().value(), array.copy().value());
  return all && value.get().value() == 42 && array.copy().value() == Value{1, 2};
}

bool nest(const rt::Manager& manager) {
  const auto dict = manager.dict().value();
  dict.set("list", manager.list({"inner"}).value()).value();
  const bool all = in_processes(1, [&](int) {
    const auto inner = dict.proxy<rt::ListProxy>(dict.get("list").value()).value();
    inner.append("from the child").value();
  });
  const auto inner = dict.proxy<rt::ListProxy>(dict.get("list").value()).value();
  rt::println("a list in a dict: {}", inner.copy().value());
  return all && inner.size().value() == 2;
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Manager: processes share a dict, a list, and one object of each other kind.");
  if (const auto status = options.finish()) return *status;

  rt::Manager manager;
  if (const auto started = manager.start(); !started) {
    rt::eprintln("17_manager: the manager cannot start: {}", started.error());
    return 1;
  }
  const bool complete =
      fill(manager) && use_locks(manager) && use_signals(manager) && use_data(manager) && nest(manager);
  manager.shutdown();
  rt::println("end");
  return complete ? 0 : 1;
}
