#include <rt/thread/thread.hpp>

#include <rt/base/digits.hpp>
#include <rt/base/hook.hpp>
#include <rt/base/panic.hpp>
#include <rt/sync/waiter.hpp>
#include <rt/thread/block.hpp>

namespace rt {

using kernel::Sharing;
using threading::ThreadBlock;

namespace {

constinit std::atomic<unsigned> threads_made = 0;

// The non-daemon threads that have not ended, for the process's exit; the highest bit: somebody waits for 0.
constinit std::atomic<std::uint32_t> unfinished = 0;
constexpr std::uint32_t exit_waits = 0x80000000;

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
  const ThreadBlock* block = this_thread_task.block;
  const std::uint32_t self = block && !block->daemon ? 1 : 0;
  if (unfinished.load(std::memory_order_acquire) == self) return; // nothing is written where no thread ever was
  for (;;) {
    const std::uint32_t left = unfinished.fetch_or(exit_waits, std::memory_order_acquire) | exit_waits;
    if (left == (self | exit_waits)) return;
    kernel::futex_wait(unfinished, left, Deadline{}, Sharing::private_to_process);
  }
}
RT_AT_EXIT(10, rt_join_threads);

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_fork_threads() {
  if (unfinished.load(std::memory_order_relaxed) != 0) unfinished.store(0, std::memory_order_relaxed);
}
RT_IN_FORKED(20, rt_fork_threads);

namespace threading {

void thread_main(ThreadBlock& block) {
  Task& task = this_thread_task;
  task.id = current_task_id = block.tid.load(std::memory_order_relaxed);
  task.block = &block;
  task.name = block.name;
  native_run_start_hooks();
  constexpr long set_name = 15; // PR_SET_NAME
  if (block.named) arch::syscall(__NR_prctl, set_name, reinterpret_cast<long>(block.name.data()));

  // run() of a subclass may ask for the id before start() has stored it.
  if (!block.destroy) static_cast<Thread*>(block.callable)->id_.store(task.id, std::memory_order_relaxed);
  block.run(block.callable);
  if (block.destroy) block.destroy(block.callable);
  native_run_exit_hooks();
  end_unfinished(block);
}

} // namespace threading

void (*Thread::return_to_heap_)(void*) = nullptr;

Thread::Thread(const ThreadOptions& options) : Thread({nullptr, nullptr, 0, 16}, options) {}

Thread::Thread(const threading::Callable& callable, const ThreadOptions& options) : daemon_(options.daemon) {
  if (options.name.empty()) {
    Output out(name_);
    out.put_literal("Thread-");
    put_decimal(out, threads_made.fetch_add(1, std::memory_order_relaxed) + 1);
  } else {
    name_ = task_name(options.name);
  }
  ThreadBlock* block = threading::make_block(options, callable);
  if (block) block->name = name_;
  block_.store(block, std::memory_order_relaxed);
}

void* Thread::callable_place() const {
  const ThreadBlock* block = block_.load(std::memory_order_relaxed);
  return block ? block->callable : nullptr;
}

Thread::Thread(Thread&& other) noexcept
    : block_(other.block_.exchange(nullptr, std::memory_order_relaxed)), id_(other.id()), started_(other.started_),
      daemon_(other.daemon_), name_(other.name_) {
  ThreadBlock* block = block_.load(std::memory_order_relaxed);
  if (block && !block->destroy) panic("a Thread of a subclass was moved: run() would not find its object");
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

void Thread::run() { panic("a Thread was started without a callable or a run() of its own"); }

// The run() that the object's class has at the moment. The new thread must not look it up itself: when a Thread goes
// out of scope right after start(), its class is already Thread again while the destructor joins. By the Itanium C++
// ABI a pointer to a virtual member function holds its place in the table that the object's first word leads to, plus 1
// on some CPUs.
void (*Thread::final_run(Thread& thread))(void*) {
  struct {
    std::uintptr_t place;
    std::ptrdiff_t adjustment;
  } member;
  void (Thread::*const run)() = &Thread::run;
  __builtin_memcpy(&member, &run, sizeof member);
  const char* table;
  __builtin_memcpy(&table, static_cast<const void*>(&thread), sizeof table);
  void (*found)(void*);
  __builtin_memcpy(&found, table + (member.place & ~std::uintptr_t{1}), sizeof found);
  return found;
}

Result<void> Thread::start() {
  if (started_) return Errc::already_started;
  ThreadBlock* block = block_.load(std::memory_order_relaxed);
  if (!block) return Errc::not_enough_memory;
  const bool is_subclass = !block->destroy;
  if (is_subclass) {
    block->callable = this;
    block->run = final_run(*this);
  }
  begin_unfinished(*block);
  started_ = true; // before the thread, which may ask
  const long id = threading::native_start(*block);
  if (id < 0) {
    end_unfinished(*block);
    started_ = false;
    return Error::from_kernel(id);
  }
  id_.store(static_cast<std::uint32_t>(id), std::memory_order_relaxed);
  return {};
}

// Blocks until the kernel has cleared the word. timed_out, canceled; none.
Errc Thread::await_end(Atomic<std::uint32_t>& word, Deadline deadline) {
  if (hub::running_flow) // only the fiber waits
    return hub::flow_operations.load(std::memory_order_relaxed)->wait_for_thread(word, deadline);
  bool in_time = deadline != Deadline::at(0);
  while (const std::uint32_t tid = word.load(std::memory_order_acquire)) {
    if (tid == current_task_id && deadline.never()) panic("a thread joins itself, and would wait for ever");
    if (!in_time) return Errc::timed_out;
    // The kernel's wake-up at a thread's end is one between processes.
    in_time = kernel::futex_wait(word, tid, deadline, Sharing::between_processes) != Errc::timed_out;
  }
  return Errc::none;
}

Result<void> Thread::join_until(Deadline deadline) {
  unsigned joining = joining_.load(std::memory_order_acquire);
  do {
    if (joining == given_back) return {};
  } while (!joining_.compare_exchange_weak(joining, joining + 1, std::memory_order_acquire));
  ThreadBlock* block = block_.load(std::memory_order_acquire);
  const bool running = started_ && block;
  const Errc failure = running ? await_end(block->tid, deadline) : Errc::none;
  const bool ended = running && failure == Errc::none;
  // The last of those who join gives the block back: no other looks at it any more, and none will.
  joining = joining_.load(std::memory_order_relaxed);
  while (!joining_.compare_exchange_weak(joining, ended && joining == 1 ? given_back : joining - 1,
                                         std::memory_order_acq_rel, std::memory_order_relaxed)) {
  }
  if (ended && joining == 1) {
    block_.store(nullptr, std::memory_order_relaxed);
    threading::native_finish(*block);
    threading::release_block(block);
  }
  return failure == Errc::none ? Result<void>{} : failure;
}

bool Thread::is_alive() const { return !const_cast<Thread*>(this)->join_until(Deadline::at(0)).ok(); }

} // namespace rt
