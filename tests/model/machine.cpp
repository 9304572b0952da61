#include "machine.hpp"

#include "memory.hpp"
#include "report.hpp"

#include <arch/tls.hpp>

#include <array>
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <link.h>
#include <pthread.h>
#include <ucontext.h>
#include <unistd.h>

namespace model {

bool in_program = false;

namespace {

constexpr std::uint64_t most_steps = 20'000;
constexpr std::int64_t start_of_time = 1'000'000'000;

struct ThreadLocals {
  void* pointer; // the thread pointer
  char* begin;
};

// The image of the program's thread-local variables, as each thread gets it.
struct Template {
  const char* image;
  std::size_t image_size, size;
};

std::array<Task, most_tasks> all;
std::array<jmp_buf, most_tasks> contexts;
std::array<ThreadLocals, most_tasks> locals;
Template pristine;
jmp_buf booted, failed;
unsigned current = 0;
unsigned count = 0; // of tasks, without the first
std::uint64_t step_count, change_count;
std::int64_t time_now;
Limits left;
const Program* program;
std::string failure;
Chooser the_chooser;

bool runnable(const Task& task) {
  return task.state == Task::State::ready && (!task.pausing || change_count != task.paused_at);
}

bool others_can_run() {
  for (unsigned i = 1; i <= count; ++i)
    if (i != current && runnable(all[i])) return true;
  return false;
}

void switch_to(unsigned next) {
  if (next == current) return;
  const unsigned before = current;
  current = next;
  rt::arch::set_thread_pointer(static_cast<rt::arch::ThreadControlBlock*>(locals[next].pointer));
  if (_setjmp(contexts[before]) == 0) _longjmp(contexts[next], 1);
}

void wake(Task& task, Wakeup how) {
  task.state = Task::State::ready;
  task.wakeup = how;
  task.pausing = false;
}

// What is unusual can be afforded, and is paid for, from a budget of its own and from the common one.
bool affords(unsigned budget) { return budget != 0 && left.together != 0; }
void pay(unsigned& budget) {
  budget -= budget != ~0u;
  left.together -= left.together != ~0u;
}

// One of the sleepers may be made to go on by its time limit or by a signal; 0: nobody is.
unsigned disturb_sleeper(bool running) {
  struct Disturbance {
    unsigned task;
    Wakeup how;
    unsigned* budget; // nullptr: free
  };
  std::array<Disturbance, 2 * most_tasks> possible;
  unsigned n = 1;
  for (unsigned i = 1; i <= count; ++i) {
    const Task& task = all[i];
    if (task.state != Task::State::asleep) continue;
    if (task.sleep.deadline != no_deadline) {
      unsigned* budget = task.sleep.deadline > time_now ? &left.timeouts : running ? &left.preemptions : nullptr;
      if (!budget || affords(*budget)) possible[n++] = {i, Wakeup::timed_out, budget};
    }
    if (task.sleep.word && affords(left.surprises)) possible[n++] = {i, Wakeup::interrupted, &left.surprises};
  }
  const unsigned picked = the_chooser.choose(n);
  if (picked == 0) return 0;
  const auto [index, how, budget] = possible[picked];
  if (budget) pay(*budget);
  if (how == Wakeup::timed_out) time_now = std::max(time_now, all[index].sleep.deadline);
  wake(all[index], how);
  return index;
}

// Nobody can run: time passes until the first sleeper's limit.
unsigned pass_time() {
  std::array<unsigned, most_tasks> first;
  unsigned n = 0;
  std::int64_t earliest = no_deadline;
  for (unsigned i = 1; i <= count; ++i)
    if (all[i].state == Task::State::asleep) earliest = std::min(earliest, all[i].sleep.deadline);
  if (earliest == no_deadline) return 0;
  time_now = std::max(time_now, earliest);
  for (unsigned i = 1; i <= count; ++i)
    if (all[i].state == Task::State::asleep && all[i].sleep.deadline <= time_now) first[n++] = i;
  const unsigned index = first[the_chooser.choose_task(first.data(), n, false)];
  wake(all[index], Wakeup::timed_out);
  note("time limit", all[index].index, nullptr, static_cast<std::uint64_t>(time_now));
  return index;
}

void switch_to_next(bool running) {
  if (const unsigned disturbed = disturb_sleeper(running)) return switch_to(disturbed);
  std::array<unsigned, most_tasks> possible;
  unsigned n = 0;
  if (running) possible[n++] = current;
  if (!running || affords(left.preemptions))
    for (unsigned i = 1; i <= count; ++i)
      if (runnable(all[i]) && !(running && i == current)) possible[n++] = i;
  if (n != 0) {
    const unsigned picked = the_chooser.choose_task(possible.data(), n, running);
    if (running && picked != 0) pay(left.preemptions);
    return switch_to(possible[picked]);
  }
  unsigned unfinished = 0;
  for (unsigned i = 1; i <= count; ++i) {
    const unsigned other = (current + i - 1) % count + 1;
    if (all[other].state == Task::State::ready) return switch_to(other); // all pause: they look again in turn
    unfinished += all[other].state != Task::State::finished;
  }
  if (unfinished == 0) return switch_to(0);
  if (const unsigned next = pass_time()) return switch_to(next);
  fail("dead lock: no task can run, and no time limit is left");
}

void run_tasks_for_ever() {
  for (;;) {
    const ThreadLocals& own = locals[current];
    std::memcpy(own.begin, pristine.image, pristine.image_size);
    std::memset(own.begin + pristine.image_size, 0, pristine.size - pristine.image_size);
    in_program = true;
    program->tasks[current - 1].run();
    in_program = false;
    note("ends", current);
    all[current].state = Task::State::finished;
    switch_to_next(false);
  }
}

void first_entry() {
  if (_setjmp(contexts[current]) == 0) _longjmp(booted, 1);
  run_tasks_for_ever();
}

int find_thread_locals(dl_phdr_info* info, std::size_t, void* argument) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_TLS) continue;
    pristine = {reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr), header.p_filesz, header.p_memsz};
    *static_cast<ThreadLocals*>(argument) = {__builtin_thread_pointer(), static_cast<char*>(info->dlpi_tls_data)};
  }
  return 1; // the program itself comes first
}

void* lend_thread_locals(void* argument) {
  ThreadLocals found{};
  dl_iterate_phdr(find_thread_locals, &found);
  __atomic_store_n(&static_cast<ThreadLocals*>(argument)->begin, found.begin, __ATOMIC_RELAXED);
  __atomic_store_n(&static_cast<ThreadLocals*>(argument)->pointer, found.pointer, __ATOMIC_RELEASE);
  for (;;) ::pause();
}

} // namespace

Task& self() { return all[current]; }
Task& task(unsigned index) { return all[index]; }
std::uint64_t changes() { return change_count; }
void count_change() { ++change_count; }
std::int64_t now() { return time_now; }
Chooser& chooser() { return the_chooser; }

bool may_read_stale() { return affords(left.stale_reads) && current != 0 && !self().spins_through; }
void count_stale_read() { pay(left.stale_reads); }
bool may_surprise() { return affords(left.surprises) && current != 0; }
void count_surprise() { pay(left.surprises); }

void point(bool looks) {
  if (++step_count > most_steps) fail("no end: the tasks go on and on without getting anywhere");
  if (!looks) self().spins_through = false;
  if (current != 0 && !self().spins_through) switch_to_next(true);
}

Wakeup fall_asleep(const Sleep& sleep) {
  Task& task = self();
  if (current == 0) fail("what sets up or checks a scenario has to wait");
  task.state = Task::State::asleep;
  task.sleep = sleep;
  task.asleep_since = ++change_count;
  switch_to_next(false);
  return task.wakeup;
}

unsigned wake_sleepers(const void* word, bool shared, unsigned most) {
  unsigned woken = 0;
  while (woken < most) {
    Task* first = nullptr;
    for (unsigned i = 1; i <= count; ++i)
      if (all[i].state == Task::State::asleep && all[i].sleep.word == word && all[i].sleep.shared == shared &&
          (!first || all[i].asleep_since < first->asleep_since))
        first = &all[i];
    if (!first) break;
    wake(*first, Wakeup::woken);
    ++woken;
  }
  return woken;
}

// Either the others go on while the task spins, or they stand still for so long that it spins in vain.
void pause() {
  const Inside inside;
  Task& task = self();
  if (++step_count > most_steps) fail("no end: the tasks go on and on without getting anywhere");
  task.up_to_date = task.paused_at = change_count;
  if (current == 0 || task.spins_through) return;
  task.spins_through = !others_can_run() || the_chooser.choose(2) == 1;
  if (!task.spins_through) step_aside();
}

void step_aside() {
  const Inside inside;
  Task& task = self();
  if (++step_count > most_steps) fail("no end: the tasks go on and on without getting anywhere");
  task.up_to_date = task.paused_at = change_count;
  task.pausing = true;
  switch_to_next(false);
  task.pausing = false;
}

void fail(const std::string& why) {
  in_program = false;
  failure = why;
  if (current == 0) _longjmp(failed, 1);
  current = 0;
  rt::arch::set_thread_pointer(static_cast<rt::arch::ThreadControlBlock*>(locals[0].pointer));
  _longjmp(failed, 1);
}

std::string execute(const Program& what) {
  program = &what;
  count = static_cast<unsigned>(what.tasks.size());
  step_count = change_count = 0;
  time_now = start_of_time;
  left = the_chooser.limits();
  current = 0;
  for (unsigned i = 0; i < most_tasks; ++i) {
    all[i] = Task();
    all[i].index = i;
    all[i].clock.ticks[i] = 1;
  }
  all[0].name = "main";
  all[0].state = Task::State::ready;
  begin_memory();
  begin_notes();

  if (_setjmp(failed) != 0) return failure;
  in_program = true;
  what.set_up();
  in_program = false;
  for (unsigned i = 1; i <= count; ++i) {
    all[i].name = what.tasks[i - 1].name;
    all[i].state = Task::State::ready;
    all[i].clock.join(all[0].clock);
  }
  ++all[0].clock.ticks[0];
  if (count != 0) {
    switch_to_next(false);
    for (unsigned i = 1; i <= count; ++i) all[0].clock.join(all[i].clock);
  }
  in_program = true;
  what.check();
  in_program = false;
  end_memory();
  return {};
}

void boot(unsigned tasks) {
  dl_iterate_phdr(find_thread_locals, &locals[0]);
  for (unsigned i = 1; i <= tasks; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, nullptr, lend_thread_locals, &locals[i]) != 0) std::abort();
    while (!__atomic_load_n(&locals[i].pointer, __ATOMIC_ACQUIRE)) usleep(10);
    ucontext_t entry;
    getcontext(&entry);
    const auto [stack, size] = stack_of(i);
    entry.uc_stack.ss_sp = stack;
    entry.uc_stack.ss_size = size;
    entry.uc_link = nullptr;
    makecontext(&entry, first_entry, 0);
    current = i;
    if (_setjmp(booted) == 0) setcontext(&entry);
  }
  current = 0;
}

} // namespace model
