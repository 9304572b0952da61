// What the simulated machine has in place of rt/sync/robust.cpp and rt/sync/shared_wait.cpp: no process is killed, so
// no list is needed, and nobody looks again after some time, as that would make good a wake-up that is missing.

#include <rt/sync/robust.hpp>
#include <rt/sync/wait.hpp>

#include <arch/syscall.hpp>

namespace rt {

std::uint64_t kernel::make_process_identity() { return 1; }

void robust::enter() {
  Thread& self = this_thread;
  self.id = static_cast<std::uint32_t>(arch::syscall(__NR_gettid));
  self.head = &self.own.head;
  self.head->first = self.own.previous = &self.head->first;
  self.process = 1;
}

Waited SharedScope::wait_on(const Word& word, std::uint32_t expected, Deadline deadline, LongWait*) {
  const Errc code =
      kernel::futex_wait(word, expected, deadline.limited_to(current_task().limit), kernel::Sharing::between_processes);
  return code == Errc::timed_out ? Waited::timed_out : code == Errc::would_block ? Waited::changed : Waited::woken;
}

} // namespace rt
