#include <rt/process/child.hpp>

#include <rt/base/hook.hpp>
#include <rt/base/single_threaded.hpp>
#include <rt/hub/readiness.hpp>
#include <rt/kernel/file.hpp>
#include <rt/memory/heap.hpp>
#include <rt/sync/waiter.hpp>

#include <linux/wait.h>

#include <mutex>
#include <utility>

namespace rt::processing {

constinit Family* family = nullptr;

namespace {

constinit thread_local Family main_threads;

extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_place_family(const InitialStack&) {
  family = &main_threads;
}
RT_AT_START(40, rt_place_family);

void* allocate(std::size_t size) {
  {
    const std::lock_guard guard(family->lock);
    if (size <= sizeof family->place && !std::exchange(family->place_is_taken, true)) return family->place;
  }
  return heap::allocate(size);
}

void deallocate(void* memory) {
  if (memory != family->place) return heap::deallocate(memory);
  const std::lock_guard guard(family->lock);
  family->place_is_taken = false;
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
  const std::lock_guard guard(family->lock);
  child->give_name();
  return child;
}

void Child::destroy() {
  if (object) callable.destroy(object);
  close_descriptor();
  this->~Child();
  deallocate(this);
}

void Child::enlist() {
  next = family->first;
  previous = nullptr;
  if (family->first) family->first->previous = this;
  family->first = this;
}

void Child::delist() {
  (previous ? previous->next : family->first) = next;
  if (next) next->previous = previous;
}

void Child::begin_running(const kernel::DescribedProcess& started) {
  process = started;
  state = State::running;
  enlist();
}

void Child::close_descriptor() {
  if (process.descriptor >= 0) (void)kernel::close_file(std::exchange(process.descriptor, -1));
}

int Child::describe() {
  if (process.descriptor >= 0 || state == State::fresh || state == State::foreign) return process.descriptor;
  const auto opened = taken ? kernel::open_ready() : kernel::open_process(process.id);
  return process.descriptor = opened.value_or(-1);
}

bool Child::look() {
  if (state != State::running && (state != State::ended || taken || waiting > 0)) return state == State::ended;
  const auto change = kernel::wait_for_described_child(process, WNOHANG | (waiting > 0 ? WNOWAIT : 0));
  if (change && change->id == 0) return false;
  taken = waiting == 0;
  if (state != State::ended) end(change);
  return true;
}

void Child::end(const Result<kernel::ChildChange>& change) {
  state = State::ended;
  if (change)
    exit_code = change->status.exited() ? change->status.exit_code() : -static_cast<int>(change->status.signal());
}

void Child::collect_dropped() {
  Child* found = nullptr;
  {
    const std::lock_guard guard(family->lock);
    for (Child *child = family->first, *next; child; child = next) {
      next = child->next;
      if (!child->dropped || child->waiting > 0 || !child->look()) continue;
      child->delist();
      child->next = std::exchange(found, child);
    }
  }
  while (found) std::exchange(found, found->next)->destroy();
}

void Child::disown_all() {
  family->lock.reset();
  for (Child *child = family->first, *next; child; child = next) {
    next = child->next;
    child->close_descriptor();
    for (Fd& stream : child->streams) stream.close();
    child->life.close();
    child->state = State::foreign;
    child->next = child->previous = nullptr;
  }
  if (family->first) family->first = nullptr;
}

State Child::current_state() {
  const std::lock_guard guard(family->lock);
  (void)look();
  return state;
}

// A thread without fibers waits for the status itself, and takes it at once where no other one could want it.
Result<void> Child::wait(Deadline deadline) {
  const bool for_ever = deadline == Deadline::no_matter_what();
  int descriptor = -1;
  kernel::DescribedProcess known;
  {
    const std::lock_guard guard(family->lock);
    known = process;
    if (state == State::foreign) return Errc::no_child_process;
    if (state != State::running) return {};
    const bool by_descriptor = hub::running_flow || !for_ever;
    if (by_descriptor && look()) return {};
    if (by_descriptor) descriptor = describe();
    if (descriptor < 0 && !for_ever) return Errc::too_many_files_open;
    if (descriptor < 0) ++waiting;
  }
  if (descriptor >= 0) {
    if (const auto ready = wait_until_ready(descriptor, Ready::read, deadline); !ready) return ready.error();
    (void)current_state();
    return {};
  }
  const bool alone = single_threaded();
  const auto change = kernel::wait_for_described_child(known, alone ? 0 : WNOWAIT);
  const std::lock_guard guard(family->lock);
  --waiting;
  if (alone)
    taken = true, end(change);
  else
    (void)look();
  return {};
}

Result<void> Child::send(kernel::Signal signal) {
  const std::lock_guard guard(family->lock);
  if (state == State::ended) return {};
  if (state == State::fresh) return Errc::no_such_process;
  if (state == State::foreign) return Errc::no_child_process;
  return kernel::send_signal_to_described(process, signal);
}

void Child::drop() {
  {
    const std::lock_guard guard(family->lock);
    dropped = (state == State::running && !look()) || waiting > 0;
    if (dropped) return;
    if (state == State::ended) delist();
  }
  destroy();
}

namespace {

// Deals with one child after the other that runs and is no daemon. Others may drop one meanwhile: it stays as long as
// somebody waits.
void join_all() {
  for (;;) {
    Child* found = nullptr;
    kernel::DescribedProcess known;
    {
      const std::lock_guard guard(family->lock);
      for (Child* child = family->first; child; child = child->next)
        if (!child->options.daemon && !child->look()) found = child;
      if (!found) return;
      ++found->waiting;
      known = found->process;
    }
    (void)kernel::wait_for_described_child(known, WNOWAIT);
    const std::lock_guard guard(family->lock);
    --found->waiting;
    (void)found->look();
  }
}

void send_to_daemons(kernel::Signal signal) {
  const std::lock_guard guard(family->lock);
  for (Child* child = family->first; child; child = child->next)
    if (child->options.daemon && !child->look()) (void)kernel::send_signal_to_described(child->process, signal);
}

void await_daemons(Deadline deadline) {
  const std::lock_guard guard(family->lock);
  for (Child* child = family->first; child; child = child->next) {
    if (!child->options.daemon || child->look()) continue;
    kernel::Polled polled(child->describe(), kernel::Ready::read);
    while (kernel::poll({&polled, 1}, deadline).error() == Errc::interrupted) {
    }
    (void)child->look();
  }
}

} // namespace

// What the parent leaves to daemons that handle SIGTERM.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void rt_end_processes() {
  if (!family->first) return;
  send_to_daemons(kernel::Signal::sigterm);
  join_all();
  await_daemons(Deadline::after(std::chrono::seconds(1)));
  send_to_daemons(kernel::Signal::sigkill);
  await_daemons(Deadline::after(std::chrono::seconds(1)));
}
RT_AT_EXIT(15, rt_end_processes);

} // namespace rt::processing
