#pragma once
// SharedBoundedSemaphore: a BoundedSemaphore between processes, whose permits come back when those who have them die.
//
// There is no count of permits that could be wrong: those that are left are the initial ones less what all living
// threads have in hand (rt/sync/holdings.hpp). So to take a permit and to give one back is one store each, made with the
// object's lock held (rt/sync/shared_lock.hpp), and a process that is killed has its permits no more. Whoever takes one
// of those is told, owner_died, as with a lock: what it stood for may be in disorder.
//
// Who finds no permit waits for the number of releases to change (rt/sync/flagged_wait.hpp); a release wakes all who
// wait. A death is no release: it is found by one who looks again, after SharedScope::longest_sleep at the latest.
//
// A permit is the process's that acquired it, and another may release it; see Holdings. A SharedSemaphore has no such
// owners: its permits often are messages, acquired by one process and released by another, so there nobody can say what
// the dead had, and a permit that was acquired is gone.

#include <rt/base/result.hpp>
#include <rt/sync/holdings.hpp>
#include <rt/sync/shared_lock.hpp>

namespace rt {

class SharedBoundedSemaphore {
 public:
  constexpr explicit SharedBoundedSemaphore(unsigned initial = 1) : initial_(initial) {}
  SharedBoundedSemaphore(const SharedBoundedSemaphore&) = delete;
  SharedBoundedSemaphore& operator=(const SharedBoundedSemaphore&) = delete;

  /// Takes a permit, waiting until there is one. owner_died: it is the caller's, and was one of a thread that has died.
  Result<void> acquire() { return acquire_until(Deadline::no_matter_what()); }

  /// Takes a permit if there is one.
  bool try_acquire();

  /// Takes a permit within the time. owner_died, as acquire(); timed_out, canceled: none was taken.
  template <class Rep, class Period>
  [[nodiscard]] Result<void> try_acquire_for(std::chrono::duration<Rep, Period> timeout) {
    return acquire_until(Deadline::after(timeout));
  }

  /// Gives n permits back. over_released, and nothing has changed, if there would be more than at the beginning.
  [[nodiscard]] Result<void> release(unsigned n = 1);

  /// The permits at the moment.
  unsigned value() const;

 private:
  Result<void> acquire_now();
  Result<void> acquire_until(Deadline deadline);

  const unsigned initial_;
  SharedLock lock_;
  Word releases_ = 0;
  Word waiting_ = 0; // a flag
  Holdings holdings_;
};

} // namespace rt
