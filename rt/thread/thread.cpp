#include <rt/thread/thread.hpp>

#include <rt/base/digits.hpp>
#include <rt/base/hook.hpp>
#include <rt/base/panic.hpp>
#include <rt/thread/block.hpp>

#include <algorithm>

namespace rt {

using kernel::Sharing;
using threading::ThreadBlock;

namespace {

constinit std::atomic<unsigned> threads_made = 0;

// The non-daemon threads that have not ended, for the process's exit; the highest bit: somebody waits for 0.
constinit std::atomic<std::uint32_t> unfinished = 0;
constexpr std::uint32_t exit_waits = 0x80000000;

thread_local constinit bool counted = false; // this thread is one of them

void begin_unfinished(const ThreadBlock& block) {
  if (!block.daemon) unfinished.fetch_add(1, std::memory_order_relaxed);
}

void end_unfinished(const ThreadBlock& block) {
  if (!block.daemon && unfinished.fetch_sub(1, std::memory_order_release) & exit_waits)
    kernel::futex_wake(unfinished, 1, Sharing::private_to_process);
}

} // namespace

// Threads that threads start meanwhile are waited for as well. A thread that ends the process does not wait for itself.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_join_threads() {
  const std::uint32_t self = counted ? 1 : 0;
  for (;;) {
    const std::uint32_t left = unfinished.fetch_or(exit_waits, std::memory_order_acquire) | exit_waits;
    if (left == (self | exit_waits)) return;
    kernel::futex_wait(unfinished, left, Deadline{}, Sharing::private_to_process);
  }
}
RT_AT_EXIT(10, rt_join_threads);

namespace threading {

void thread_main(ThreadBlock& block) {
  Task& task = this_thread_task;
  task.id = current_task_id = block.tid.load(std::memory_order_relaxed);
  std::copy_n(block.name, Task::name_capacity, task.name);
  task.stack_begin = reinterpret_cast<std::uintptr_t>(block.mapping.stack_begin());
  task.stack_size = static_cast<std::size_t>(block.stack_top - block.mapping.stack_begin());
  register_task(task);
  constexpr long set_name = 15; // PR_SET_NAME
  arch::syscall(__NR_prctl, set_name, reinterpret_cast<long>(block.name));
  counted = !block.daemon;

  block.run(block.callable);
  if (block.destroy) block.destroy(block.callable);
  native_run_exit_hooks();
  unregister_task(task);
  end_unfinished(block);
}

} // namespace threading

void (*Thread::return_to_heap_)(void*) = nullptr;

Thread::Thread(const ThreadOptions& options) {
  void* place = nullptr;
  block_ = threading::make_block(options, {run_subclass, nullptr, 0, 16}, place);
  set_name(options);
}

void Thread::run_subclass(void* object) {
  auto& self = *static_cast<Thread*>(object);
  ThreadBlock& block = *self.block_.load(std::memory_order_relaxed);
  block.entered.store(1, std::memory_order_release);
  kernel::futex_wake(block.entered, 1, Sharing::private_to_process);
  self.run();
}

Thread::Thread(Thread&& other) noexcept
    : block_(other.block_.exchange(nullptr, std::memory_order_relaxed)), id_(other.id_), started_(other.started_),
      daemon_(other.daemon_) {
  ThreadBlock* block = block_.load(std::memory_order_relaxed);
  if (block && !block->destroy) panic("a Thread of a subclass was moved: run() would not find its object");
  std::copy_n(other.name_, Task::name_capacity, name_);
}

Thread::~Thread() {
  ThreadBlock* block = block_.load(std::memory_order_relaxed);
  if (!block) return;
  if (!started_) {
    if (block->destroy) block->destroy(block->callable);
    threading::release_block(block);
  } else if (daemon_) {
    threading::release_block_later(block);
  } else {
    join();
  }
}

void Thread::set_name(const ThreadOptions& options) {
  daemon_ = options.daemon;
  Task named;
  if (options.name.empty()) {
    char text[Task::name_capacity];
    Output out(text);
    out.put("Thread-");
    put_decimal(out, threads_made.fetch_add(1, std::memory_order_relaxed) + 1);
    set_task_name(named, out.text());
  } else {
    set_task_name(named, options.name);
  }
  std::copy_n(named.name, Task::name_capacity, name_);
  if (ThreadBlock* block = block_.load(std::memory_order_relaxed)) std::copy_n(named.name, Task::name_capacity, block->name);
}

void Thread::run() { panic("a Thread without a callable was started, and its class does not override run()"); }

Result<void> Thread::start() {
  if (started_) return Errc::already_started;
  ThreadBlock* block = block_.load(std::memory_order_relaxed);
  if (!block) return Errc::not_enough_memory;
  const bool is_subclass = !block->destroy;
  if (is_subclass) block->callable = this;
  begin_unfinished(*block);
  const long id = threading::native_start(*block);
  if (id < 0) {
    end_unfinished(*block);
    return Error::from_kernel(id);
  }
  id_ = static_cast<std::uint32_t>(id);
  started_ = true;
  // The destructor of a subclass makes run() the base's again; so the call has to be under way before start() returns
  // (Python's start() waits for the new thread as well).
  while (is_subclass && block->entered.load(std::memory_order_acquire) == 0)
    kernel::futex_wait(block->entered, 0, Deadline{}, Sharing::private_to_process);
  return {};
}

Result<void> Thread::join_until(Deadline deadline) {
  joining_.fetch_add(1, std::memory_order_acquire);
  ThreadBlock* block = block_.load(std::memory_order_acquire);
  const bool running = started_ && block;
  bool ended = running;
  while (ended) {
    const std::uint32_t tid = block->tid.load(std::memory_order_acquire);
    if (tid == 0) break;
    if (tid == current_task_id) {
      if (deadline.never()) panic("a thread joins itself: it would wait for ever");
      ended = false;
    } else if (deadline == Deadline::at(0) ||
               // The kernel's wake-up at a thread's end is one between processes.
               kernel::futex_wait(block->tid, tid, deadline, Sharing::between_processes) == Errc::timed_out) {
      ended = block->tid.load(std::memory_order_acquire) == 0;
      break;
    }
  }
  // The last of those who join gives the block back: no other looks at it any more.
  if (joining_.fetch_sub(1, std::memory_order_acq_rel) == 1 && ended)
    if (ThreadBlock* last = block_.exchange(nullptr, std::memory_order_acq_rel)) {
      threading::native_finish(*last);
      threading::release_block(last);
    }
  if (running && !ended) return Errc::timed_out;
  return {};
}

bool Thread::is_alive() const { return !const_cast<Thread*>(this)->join_until(Deadline::at(0)).ok(); }

} // namespace rt
