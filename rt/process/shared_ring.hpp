#pragma once
// SharedRing: messages of any length in a ring of bytes that several processes share; what SharedQueue is made of.
//
//   memory    [SharedRing][ring ...................]      capacity: a multiple of 8
//   message   [length, 4 bytes][bytes ...][up to the next multiple of 8]      may go on at the ring's beginning
//
// Two words say all: tail, up to where messages were put, and head, up to where they were taken. Each has two numbers
// that change together: how many messages that were (modulo 2^32), and the place in the ring, in units of eight bytes.
//
//   put    with the put lock held:  waits until there is room;  writes the message behind the tail;  moves the tail
//   get    with the get lock held:  waits until there is a message;  copies it;  moves the head
//
// A process may be killed at any instruction. Nobody sees half a message: what lies behind the tail is not there for
// anybody, and the tail moves by one store when the message is complete. Nobody loses one: until the head moves, by one
// store, the message is there for the next, and after it the process that was killed had it in its hands. Nobody waits
// in vain for the dead: the two locks are given on by the kernel (rt/sync/shared_lock.hpp), their next owner finds tail
// and head as they were before or after the one store, and there is nothing else to mend.
//
// One who waits for a change of the other word sleeps on its messages. Before that it says so with the lock held under
// which the word changes, and looks at the word: so whoever changes it next knows of the sleeper, and neither needs a
// fence for it. A put wakes one that waits to get, and that one wakes the next if it leaves something: a chain, as in
// rt/sync/event_count.hpp. A get does the same for those who wait for room, once there is as much as they need. When
// they do not all need the same, it wakes them all, once there is the least that one of them needs. What a kill breaks
// in this is made good when a sleeper looks again (SharedScope::longest_sleep).
//
// Patience. On one CPU a getter that wakes a putter is interrupted for it, which fills the ring at once and sleeps
// again: two switches for a message. So those who find it full again that soon let more be taken before they are woken,
// twice as much each time, up to a half of what is there; but after ten milliseconds the first room is enough.
//
// In hand. join() waits for messages that were got and not reported done, so the ring knows what each thread has in
// hand (rt/sync/holdings.hpp). What a dead one had is lost: it counts as done, and join says so. Taking a message is
// two steps, the head and the number in hand; whoever gets the lock of one that was killed between the two knows from
// the head whether the first one was made.

#include <rt/base/result.hpp>
#include <rt/sync/holdings.hpp>
#include <rt/sync/shared_lock.hpp>
#include <rt/sync/wait.hpp>

#include <arch/cpu.hpp>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

namespace rt {

class SharedRing {
 public:
  using Bytes = std::span<const std::byte>;

  /// What a get does with a message, in two pieces if it goes on at the ring's beginning. The message stays in the ring
  /// if it returns an error. The get lock is held.
  using Accept = Result<void>(void* argument, Bytes first, Bytes second);

  /// For that many bytes of messages, each with 4 bytes more and rounded up to 8; that many messages, 0: as many as
  /// there is room for. Lies at the beginning of memory_size(capacity) bytes.
  SharedRing(std::size_t capacity, std::size_t most_messages);

  /// A ring that another process has made, in memory that was mapped: nullptr if there is none.
  static SharedRing* in(void* memory, std::size_t size);

  static std::size_t memory_size(std::size_t capacity) { return sizeof(SharedRing) + rounded(capacity); }
  /// What a message of this length takes of the capacity.
  static constexpr std::size_t room_for(std::size_t length) { return (length + 4 + unit - 1) / unit * unit; }
  static constexpr std::size_t most_capacity = std::size_t{1} << 34;

  /// Adds the message. full; closed; message_size: it is longer than the ring.
  Result<void> try_put(Bytes message);
  /// The same when there is room. closed; message_size; timed_out; canceled.
  Result<void> put(Bytes message, Deadline deadline);
  /// Takes a message. empty; closed, when there is none any more; an error of `accept`.
  Result<void> try_get(Accept* accept, void* argument);
  /// The same when there is a message. closed; timed_out; canceled; an error of `accept`.
  Result<void> get(Accept* accept, void* argument, Deadline deadline);

  std::size_t size() const;
  bool full(std::size_t length) const;

  /// One message that was got is done with. over_released: nobody has one in hand.
  Result<void> task_done();
  /// Waits until there is no message in the ring or in anybody's hands. owner_died: one was lost with its process.
  Result<void> join(Deadline deadline);
  void shutdown(bool immediate);

  /// Gives the calling thread's place back; false: other threads of the process have places, and the memory must stay.
  bool leave();

 private:
  static constexpr std::size_t unit = 8;
  static constexpr std::uint32_t different = 0xffffffff;
  static std::size_t rounded(std::size_t capacity);

  /// Of tail and head.
  struct Position {
    std::uint32_t messages;
    std::uint32_t place;
  };
  /// A word of both numbers; the messages, which are its lower half and first in memory, can be waited on.
  union Mark {
    Atomic<std::uint64_t> both;
    Word messages;
    Mark() : both(0) {}
    Position load(std::memory_order order) const {
      const std::uint64_t word = both.load(order);
      return {static_cast<std::uint32_t>(word), static_cast<std::uint32_t>(word >> 32)};
    }
    void store(Position position, std::memory_order order) {
      both.store(std::uint64_t{position.place} << 32 | position.messages, order);
    }
  };

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  char* at(std::uint32_t place) { return bytes() + std::size_t{place} * unit; }
  char* end() { return at(capacity_units_); }
  Position after(Position position, std::uint32_t units) const {
    const std::uint32_t place = position.place + units;
    return {position.messages + 1, place < capacity_units_ ? place : place - capacity_units_};
  }
  std::uint32_t units_between(Position head, Position tail) const {
    if (head.messages == tail.messages) return 0;
    return tail.place - head.place + (tail.place > head.place ? 0 : capacity_units_);
  }
  bool has_room(Position tail, Position head, std::uint32_t units) const {
    return units <= capacity_units_ - units_between(head, tail) && tail.messages - head.messages < most_messages_;
  }
  /// What the message takes; 0: it is longer than the ring.
  std::uint32_t units_for(Bytes message) const;
  Errc put_now(Bytes message, std::uint32_t units, std::uint32_t& seen_head);
  Result<void> get_now(Accept* accept, void* argument, std::uint32_t& seen_tail);
  Waited wait_for_room(std::uint32_t units, std::uint32_t seen_head, Deadline deadline, bool& patient);
  Waited wait_for_message(std::uint32_t seen_tail, Deadline deadline);
  void wake_next_putter(std::uint32_t units);
  void wake_next_getter();
  void write(char* place, Bytes message);
  Result<void> accept_at(const char* place, std::uint32_t length, Accept* accept, void* argument);

  // With the get lock held.
  std::unique_lock<SharedLock> lock_for_get();
  void want_room(std::uint32_t units);
  void set_patience(bool patient, std::uint32_t head);
  unsigned putters_to_wake(Position head);
  std::uint32_t unfinished() const;
  void announce_if_done();

  // Set once.
  std::uint64_t magic_;
  std::uint32_t capacity_units_;
  std::uint32_t most_messages_;

  // Those who put.
  alignas(arch::cache_line) SharedLock put_lock_;
  Mark seen_head_; // an older one: less room than there is
  bool getters_wait_ = false;
  alignas(arch::cache_line) Mark tail_;

  // Those who get.
  alignas(arch::cache_line) SharedLock get_lock_;
  Mark seen_tail_;
  std::uint32_t least_wanted_ = 0; // by those who wait for room and have not been woken; 0: there are none
  std::uint32_t wanted_ = 0;       // by each of those who sleep; `different`; 0: there are none
  std::uint32_t full_at_ = 0;      // head's messages when somebody began to wait for room
  std::uint32_t patience_ = 1;     // messages that are taken from then on before one is woken
  alignas(arch::cache_line) Mark head_;

  // What changes rarely.
  alignas(arch::cache_line) Word closed_ = 0;
  Word joiners_wait_ = 0;
  Word times_done_ = 0; // how often nothing was left to do

  // With the get lock held.
  Holdings in_hand_;
};

} // namespace rt
