#pragma once
// SharedBarrier: a Barrier between processes, which is broken when a party dies in it.
//
// A task that is inside has a slot: it owns the slot's word (rt/sync/robust.hpp), and finds in it what has become of
// it:
//
//   inside      waits for the others                     left by  the last to come: to released
//   acting      the last to come, while it runs the action        itself: to released
//               both                                              timeout of one inside, abort, death: to sent away
//               inside only                                       reset: to sent away
//   released, sent away                                           its own task, which gives the slot back
//
// How many are inside is not written anywhere, but counted: slots that have a living owner and are `inside` or
// `acting`. All steps are made with the object's lock held (rt/sync/shared_lock.hpp), but the last, giving back. Steps
// that change several slots are written down first, in `phase`: if their process is killed in between, the next owner
// of the lock does them once more, which changes nothing in the slots that were changed already. A slot whose owner
// died inside, or while it ran the action, breaks the barrier, as an abort() of that party would have.
//
// Everybody waits for one word, the number of turns, which each of these steps increases afterwards: for its slot to
// change, or to enter. Who comes while the action runs waits to enter; who comes to a broken barrier is refused. A
// death changes no word: it is found by one of the others that looks again, after SharedScope::longest_sleep at the
// latest. A process that dies before it has come is not known here: for that, give wait_for a time.

#include <rt/base/panic.hpp>
#include <rt/base/result.hpp>
#include <rt/sync/barrier_action.hpp>
#include <rt/sync/shared_lock.hpp>

#include <mutex>
#include <utility>

namespace rt {

class SharedBarrier {
 public:
#ifdef RT_MODEL_ATOMIC
  static constexpr unsigned most_parties = 4; // each execution makes all of them anew
#else
  static constexpr unsigned most_parties = 64;
#endif

  /// For that many tasks of all processes, from one to most_parties.
  constexpr explicit SharedBarrier(unsigned parties) : parties_(parties) {
    if (parties == 0) panic("a SharedBarrier needs at least one party");
    if (parties > most_parties) panic("a SharedBarrier for {} parties: {} are the most", parties, most_parties);
  }

  /// With an action, as Barrier's. It is called by an address, so all parties must be children of the process that has
  /// made the barrier, or that process.
  template <BarrierCallable F> SharedBarrier(unsigned parties, F&& action) : SharedBarrier(parties) {
    action_.set(std::forward<F>(action));
  }

  SharedBarrier(const SharedBarrier&) = delete;
  SharedBarrier& operator=(const SharedBarrier&) = delete;

  /// As Barrier's. broken_barrier also if a party died inside.
  Result<unsigned> wait() { return wait_until(Deadline{}); }
  template <class Rep, class Period>
  [[nodiscard]] Result<unsigned> wait_for(std::chrono::duration<Rep, Period> timeout) {
    return wait_until(Deadline::after(timeout));
  }

  /// Makes the barrier empty and whole. Who waits gets broken_barrier; while the action runs, nobody is sent away.
  void reset();
  /// Breaks the barrier until reset(): all who wait and who come get broken_barrier.
  void abort();

  unsigned parties() const { return parties_; }
  /// How many wait for the others at the moment.
  unsigned n_waiting() const;
  bool broken() const { return broken_.load(std::memory_order_acquire) != 0; }

 private:
  enum State : std::uint32_t { inside, acting, released, sent_away };
  enum class Phase : std::uint32_t { none, releasing, breaking, resetting };

  struct Slot {
    RobustWord party;
    Word state = released;

    bool is(State wanted) const { return party.has_owner() && state.load(std::memory_order_acquire) == wanted; }
    bool is_in() const { return is(inside) || is(acting); }
  };
  static constexpr unsigned slots = 2 * most_parties; // those who leave have theirs still

  Result<unsigned> wait_until(Deadline deadline);
  Result<Slot*> enter(Deadline deadline, unsigned& index);
  Result<unsigned> release(Slot& slot, unsigned index);
  Result<unsigned> await(Slot& slot, unsigned index, Deadline deadline);

  // With the lock held.
  std::unique_lock<SharedLock> lock();
  Slot* free_slot();
  bool action_runs() const;
  void change_all(Phase phase);

  const unsigned parties_;
  SharedLock lock_;
  Word turns_ = 0;
  Word broken_ = 0;
  Phase phase_ = Phase::none;
  Word used_ = 0; // slots from here on have never been
  BarrierAction action_;
  Slot slots_[slots];
};

} // namespace rt
