#pragma once
// Holdings: how many of something each thread of several processes has in its hands, so that what the dead had is
// known.
//
// Each thread that has something has a place, which it owns (rt/sync/robust.hpp): the kernel marks it when the thread
// ends, in whatever way. The table lies in shared memory, and its user locks it with a SharedLock; the kernel's marks
// come at any time. A number changes by one store. Where that is one of two steps that belong together, the user notes
// the other one in the place first, in the same word, and whoever gets the lock of an owner that died in between knows
// from the note what to look at.
//
// What a thread has is its process's as well: when a thread ends and the process goes on, another thread may put it
// back, and one that comes new takes the place over with all that is in it. What is in a dead thread's place is lost
// when its process is gone: as far as can be seen here, as it is not the caller's and no other thread of it has a
// place. With more threads than places, what the others have is counted together, and stays counted when they die.

#include <rt/sync/robust.hpp>

#include <cstdint>
#include <span>

namespace rt {

class Holdings {
 public:
  static constexpr unsigned most_places = 64;

  constexpr Holdings() = default;
  Holdings(const Holdings&) = delete;

  /// The calling thread has one more.
  void add() {
    Place* const place = own_place();
    if (place)
      place->set(place->count() + 1);
    else
      without_place_.store(without_place_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  /// The same in three steps, the second of which is a store of the caller's. The note is a number of the caller's that
  /// tells later whether it happened.
  template <class Store> void add_with(std::uint32_t note, Store store) {
    Place* const place = own_place();
    const std::uint32_t before = place ? place->count() : 0;
    if (place) place->state.store(std::uint64_t{note} << 32 | before << 1 | 1, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    store();
    std::atomic_signal_fence(std::memory_order_seq_cst);
    place ? place->set(before + 1) : add();
  }
  /// For the next owner of the lock, when the last one died: completes its add_with. happened(note): whether the store
  /// was made.
  template <class Happened> void mend(Happened happened) {
    for (Place& place : places()) {
      const std::uint64_t state = place.state.load(std::memory_order_relaxed);
      if (state & 1) place.set(place.count() + (happened(static_cast<std::uint32_t>(state >> 32)) ? 1 : 0));
    }
  }

  /// Somebody has one less, the calling thread if it has any. False: nobody has one. `keep`: the thread's place stays
  /// its own when there is nothing in it, which is faster for the next add.
  bool remove(bool keep);

  /// Frees the places of the dead; what those of processes that are gone had is lost.
  void bury_dead();
  /// How many were lost and not asked for since.
  std::uint32_t lost() const { return lost_; }
  void set_lost(std::uint32_t number) { lost_ = number; }

  /// How many there are in all hands; also without the lock, as of some moment.
  std::uint32_t total() const;

  /// Gives the calling thread's place back; what it had is lost.
  void leave();
  /// Whether threads of this process have places; also without the lock.
  bool has_places_of_this_process() const;

 private:
  struct Place {
    RobustWord thread;
    Atomic<std::uint64_t> state = 0; // twice the number; 1 more and the note above, while one is added

    std::uint32_t count() const { return static_cast<std::uint32_t>(state.load(std::memory_order_relaxed)) >> 1; }
    void set(std::uint32_t number) { state.store(number << 1, std::memory_order_relaxed); }
  };

  bool process_is_gone(const Place& dead) const;
  std::span<Place> places() { return {places_, used_.load(std::memory_order_relaxed)}; }
  std::span<const Place> places() const { return {places_, used_.load(std::memory_order_relaxed)}; }
  Place* own_place();

  Atomic<std::uint32_t> used_ = 0; // places from here on have never been
  Atomic<std::uint32_t> without_place_ = 0;
  std::uint32_t lost_ = 0;
  Place places_[most_places];
};

} // namespace rt
