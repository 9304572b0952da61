// Queue: items go in by one thread and come out by another; every method, with what it returns.
//
// First in first out with items of three types, then a queue with room for two, last in first out, priorities, waiting
// until all work is done, and closing.

#include "options.hpp"

#include <rt/sync/queue.hpp>
#include <rt/thread/thread.hpp>

#include <variant>

using namespace std::chrono_literals;

namespace {

struct Map {
  std::string_view key;
  int value;
};
using Item = std::variant<int, std::string_view, Map>;

void format_value(rt::Output& out, const Item& item) {
  if (const auto* number = std::get_if<int>(&item)) rt::format_to(out, "{}", *number);
  if (const auto* text = std::get_if<std::string_view>(&item)) rt::format_to(out, "\"{}\"", *text);
  if (const auto* map = std::get_if<Map>(&item)) rt::format_to(out, "{{\"{}\": {}}}", map->key, map->value);
}

/// What a put or get returned: the item, "done" or the error.
template <class T> struct Outcome {
  const rt::Result<T>& result;

  friend void format_value(rt::Output& out, const Outcome& outcome) {
    if (!outcome.result.ok())
      rt::format_to(out, "error, {}", outcome.result.error());
    else if constexpr (std::is_void_v<T>)
      out.put("done");
    else
      rt::format_to(out, "{}", outcome.result.value());
  }
};
template <class T> void show(const char* call, const rt::Result<T>& result) {
  rt::println("  {}: {}", call, Outcome<T>{result});
}

template <class Q> void show_state(const Q& queue) {
  rt::println("  size() {}, empty() {}, full() {}", queue.size(), queue.empty(), queue.full());
}

void show_fifo() {
  rt::println("Queue: first in, first out");
  rt::Queue<Item> queue;
  show("put a number", queue.put(12));
  show("put a text", queue.put("alex"));
  show("put a map", queue.put(Map{"age", 15}));
  show_state(queue);
  for (int i = 0; i < 3; ++i) show("get", queue.get());
  show_state(queue);
}

void show_limits() {
  rt::println("Queue of maxsize 2: full and empty");
  rt::Queue<int> queue(2);
  show("put 1", queue.put(1));
  show("try_put 2", queue.try_put(2));
  show_state(queue);
  show("try_put 3", queue.try_put(3));
  show("put_for 3", queue.put_for(3, apps::scaled(500ms)));

  // Each line of the other thread comes before the call that it lets return.
  rt::Thread other([&queue] {
    apps::pause(500ms);
    rt::println("  (the other thread gets one)");
    (void)queue.get();
  });
  other.start().value();
  show("put 3", queue.put(3));
  other.join();

  show("get", queue.get());
  show("try_get", queue.try_get());
  show("try_get", queue.try_get());
  show("get_for", queue.get_for(apps::scaled(500ms)));

  rt::Thread another([&queue] {
    apps::pause(500ms);
    rt::println("  (the other thread puts 4)");
    queue.put(4).value();
  });
  another.start().value();
  show("get", queue.get());
}

template <class Q> void show_order(const char* title, Q& queue) {
  rt::println("{}", title);
  show("put 2", queue.put(2));
  show("put 3", queue.put(3));
  show("put 1", queue.put(1));
  for (int i = 0; i < 3; ++i) show("get", queue.get());
}

void show_join() {
  rt::println("task_done and join");
  rt::Queue<int> queue;
  for (int task = 1; task <= 3; ++task) queue.put(task).value();
  rt::Thread worker([&queue] {
    for (int i = 0; i < 3; ++i) {
      const int task = queue.get().value();
      apps::pause(200ms);
      rt::println("  task {} is done", task);
      queue.task_done().value();
    }
  });
  worker.start().value();
  queue.join();
  rt::println("  join: all tasks are done");
  show("task_done, once too often", queue.task_done());
}

void show_shutdown() {
  rt::println("shutdown");
  rt::Queue<int> queue;
  show("put 1", queue.put(1));
  queue.shutdown();
  show("put 2", queue.put(2));
  show("get", queue.get());
  show("get", queue.get());
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Queue: first in first out, last in first out, by priority; each method shown.");
  if (const auto status = options.finish()) return *status;

  show_fifo();
  show_limits();
  rt::LifoQueue<int> lifo;
  show_order("LifoQueue: last in, first out", lifo);
  rt::PriorityQueue<int> priority;
  show_order("PriorityQueue: the least first", priority);
  show_join();
  show_shutdown();
  rt::println("end");
  return 0;
}
