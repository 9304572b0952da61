#include <rt/process/child.hpp>

#include <rt/base/hook.hpp>
#include <rt/hub/readiness.hpp>
#include <rt/kernel/file.hpp>
#include <rt/memory/heap.hpp>
#include <rt/sync/waiter.hpp>

#include <linux/wait.h>

#include <mutex>
#include <utility>

namespace rt::processing {

// The first one, aligned so that all of RT_FORK_DATA lies in one page.
RT_FORK_DATA(00) alignas(2048) constinit FutexLock Child::lock;
RT_FORK_DATA(10) constinit Child* Child::first = nullptr;

namespace {

// The place of one record, so that a program which starts one process after the other needs no block of the heap, whose
// pages it would have to copy.
constexpr std::size_t place_size = 640;
RT_FORK_DATA(10) alignas(64) constinit std::byte place[place_size] = {};
RT_FORK_DATA(10) constinit bool place_is_taken = false;

void* allocate(std::size_t size) {
  {
    const std::lock_guard guard(Child::lock);
    if (size <= place_size && !std::exchange(place_is_taken, true)) return place;
  }
  return heap::allocate(size);
}

void deallocate(void* memory) {
  if (memory != place) return heap::deallocate(memory);
  const std::lock_guard guard(Child::lock);
  place_is_taken = false;
}

} // namespace

Child* Child::make(const Callable& callable, const ProcessOptions& options) {
  void* const memory = allocate(sizeof(Child) + callable.size + callable.alignment);
  if (!memory) return nullptr;
  auto* child = ::new (memory) Child;
  child->callable = callable;
  const auto behind = reinterpret_cast<std::uintptr_t>(child + 1);
  if (callable.run)
    child->object = reinterpret_cast<void*>((behind + callable.alignment - 1) & -std::uintptr_t{callable.alignment});
  child->options = options;
  child->subclass = !callable.run;
  child->name = task_name(options.name);
  const std::lock_guard guard(lock);
  child->give_name();
  return child;
}

void Child::destroy() {
  if (object) callable.destroy(object);
  if (descriptor >= 0) (void)kernel::close_file(descriptor);
  this->~Child();
  deallocate(this);
}

void Child::enlist() {
  next = first;
  previous = nullptr;
  if (first) first->previous = this;
  first = this;
}

void Child::delist() {
  (previous ? previous->next : first) = next;
  if (next) next->previous = previous;
}

void Child::begin_running(const kernel::DescribedProcess& process) {
  id = process.id;
  descriptor = process.descriptor;
  state = State::running;
  enlist();
}

bool Child::look() {
  if (state != State::running) return state == State::ended;
  const auto change = kernel::wait_for_described_child(descriptor, WNOHANG);
  if (change && change->id == 0) return false;
  state = State::ended;
  if (change)
    exit_code = change->status.exited() ? change->status.exit_code() : -static_cast<int>(change->status.signal());
  return true;
}

void Child::collect_dropped() {
  Child* found = nullptr;
  {
    const std::lock_guard guard(lock);
    for (Child *child = first, *next; child; child = next) {
      next = child->next;
      if (!child->dropped || !child->look()) continue;
      child->delist();
      child->next = std::exchange(found, child);
    }
  }
  while (found) std::exchange(found, found->next)->destroy();
}

void Child::disown_all() {
  lock.reset();
  for (Child *child = first, *next; child; child = next) {
    next = child->next;
    (void)kernel::close_file(child->descriptor);
    for (Fd& stream : child->streams) stream.close();
    child->life.close();
    child->descriptor = -1;
    child->state = State::foreign;
    child->next = child->previous = nullptr;
  }
  first = nullptr;
}

State Child::current_state() {
  const std::lock_guard guard(lock);
  (void)look();
  return state;
}

// A thread without fibers waits for the status itself, and leaves it there: others may wait for it, too.
Result<void> Child::wait(Deadline deadline) {
  const State now = [this] {
    const std::lock_guard guard(lock);
    return state;
  }();
  if (now == State::foreign) return Errc::no_child_process;
  if (now != State::running) return {};
  if (!hub::running_flow && deadline == Deadline::no_matter_what())
    (void)kernel::wait_for_described_child(descriptor, WNOWAIT);
  else if (const auto ready = wait_until_ready(descriptor, Ready::read, deadline); !ready)
    return ready.error();
  (void)current_state();
  return {};
}

Result<void> Child::send(kernel::Signal signal) {
  const std::lock_guard guard(lock);
  if (state == State::ended) return {};
  if (state == State::fresh) return Errc::no_such_process;
  if (state == State::foreign) return Errc::no_child_process;
  return kernel::send_signal_to_described(descriptor, signal);
}

void Child::drop() {
  {
    const std::lock_guard guard(lock);
    dropped = state == State::running && !look();
    if (dropped) return;
    if (state == State::ended) delist();
  }
  destroy();
}

namespace {

// Deals with one child after the other that runs and is no daemon. Others may start children and drop them meanwhile.
void join_all() {
  for (;;) {
    int descriptor = -1;
    {
      const std::lock_guard guard(Child::lock);
      for (Child* child = Child::first; child; child = child->next)
        if (!child->options.daemon && !child->look()) descriptor = child->descriptor;
    }
    if (descriptor < 0) return;
    (void)kernel::wait_for_described_child(descriptor, WNOWAIT);
  }
}

void send_to_daemons(kernel::Signal signal) {
  const std::lock_guard guard(Child::lock);
  for (Child* child = Child::first; child; child = child->next)
    if (child->options.daemon && !child->look()) (void)kernel::send_signal_to_described(child->descriptor, signal);
}

void await_daemons(Deadline deadline) {
  const std::lock_guard guard(Child::lock);
  for (Child* child = Child::first; child; child = child->next) {
    if (!child->options.daemon || child->look()) continue;
    kernel::Polled polled(child->descriptor, kernel::Ready::read);
    while (kernel::poll({&polled, 1}, deadline).error() == Errc::interrupted) {
    }
    (void)child->look();
  }
}

} // namespace

// What the parent leaves to daemons that handle SIGTERM.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_end_processes() {
  if (!Child::first) return;
  send_to_daemons(kernel::Signal::sigterm);
  join_all();
  await_daemons(Deadline::after(std::chrono::seconds(1)));
  send_to_daemons(kernel::Signal::sigkill);
  await_daemons(Deadline::after(std::chrono::seconds(1)));
}
RT_AT_EXIT(15, rt_end_processes);

} // namespace rt::processing
