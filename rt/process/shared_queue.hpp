#pragma once
// SharedQueue: a Queue between processes (Python's multiprocessing.Queue, JoinableQueue and SimpleQueue in one).
//
//   rt::SharedQueue<rt::Value> queue;
//   rt::Process child([&] { queue.put(123).value(); });
//   child.start().value();
//   rt::println("{}", queue.get().value());
//
// Items are copied into a ring of bytes in shared memory and out of it (rt/process/shared_ring.hpp): no thread feeds
// it, an item that was put is there, and a process that is killed, at whatever moment, keeps nobody from going on and
// takes along only what it had got. T is
//
//   Value                 encoded as CBOR
//   std::string           bytes, as they are
//   trivially copyable    as it lies in memory: numbers, structures of numbers
//
// The queue is bounded by a number of items and by the bytes of its ring. It is inherited by children, at whatever
// depth; with_file makes one that any process may open().

#include <rt/memory/shared_memory.hpp>
#include <rt/process/cbor.hpp>
#include <rt/process/shared_ring.hpp>

#include <algorithm>
#include <chrono>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

namespace rt {
namespace shared_queue {

inline SharedRing::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// How a T becomes bytes and comes back: encode(item, send) returns what send(bytes) does; decode(get) is what a
/// get(accept, argument) of the ring finds.
template <class T> struct Codec {
  static_assert(std::is_trivially_copyable_v<T>,
                "an item of a SharedQueue is a Value, a std::string, or trivially copyable");
  static constexpr std::size_t length = sizeof(T); // of each item; 0: they differ

  template <class Send> static Result<void> encode(const T& item, Send send) {
    return send(std::as_bytes(std::span(&item, 1)));
  }

  template <class Get> static Result<T> decode(Get get) {
    return Result<T>::written_by([&](void* place) { return get(copy, place); });
  }

 private:
  static Result<void> copy(void* place, SharedRing::Bytes first, SharedRing::Bytes second) {
    if (first.size() + second.size() != sizeof(T)) return Errc::message_size;
    std::copy(second.begin(), second.end(), std::copy(first.begin(), first.end(), static_cast<std::byte*>(place)));
    return {};
  }
};

template <> struct Codec<std::string> {
  static constexpr std::size_t length = 0;

  template <class Send> static Result<void> encode(const std::string& item, Send send) { return send(bytes_of(item)); }

  template <class Get> static Result<std::string> decode(Get get) {
    std::string text;
    if (const Result<void> got = get(append, &text); !got) return got.error();
    return text;
  }

 private:
  static Result<void> append(void* text, SharedRing::Bytes first, SharedRing::Bytes second) {
    auto& all = *static_cast<std::string*>(text);
    all.reserve(first.size() + second.size());
    all.append(reinterpret_cast<const char*>(first.data()), first.size());
    all.append(reinterpret_cast<const char*>(second.data()), second.size());
    return {};
  }
};

template <> struct Codec<Value> {
  static constexpr std::size_t length = 0;

  template <class Send> static Result<void> encode(const Value& item, Send send) {
    std::string buffer;
    if (const Result<void> encoded = cbor::encode(item, buffer); !encoded) return encoded;
    return send(bytes_of(buffer));
  }
  template <class Get> static Result<Value> decode(Get get) {
    const Result<std::string> bytes = Codec<std::string>::decode(get);
    if (!bytes) return bytes.error();
    return cbor::decode(*bytes);
  }
};

} // namespace shared_queue

template <class T> class SharedQueue {
  using Codec = shared_queue::Codec<T>;

 public:
  static constexpr std::size_t default_bytes = 1 << 20;

  /// At most so many items, 0: as many as there is room for; ring_bytes: the room, 0: for maxsize items if all are of
  /// the same length, else default_bytes. An item takes its bytes and 4 more, rounded up to 8, and cannot be longer
  /// than the ring. Panics when there is no memory.
  explicit SharedQueue(std::size_t maxsize = 0, std::size_t ring_bytes = 0)
      : SharedQueue(SharedMemory::make(SharedRing::memory_size(capacity(maxsize, ring_bytes))).value()) {
    ring_ = ::new (memory_.begin()) SharedRing(capacity(maxsize, ring_bytes), maxsize);
  }

  /// The same in a memory file of that name; see descriptor().
  [[nodiscard]] static Result<SharedQueue> with_file(std::string_view name, std::size_t maxsize = 0,
                                                     std::size_t ring_bytes = 0) {
    auto memory = SharedMemory::make_file(name, SharedRing::memory_size(capacity(maxsize, ring_bytes)));
    if (!memory) return memory.error();
    SharedQueue queue(std::move(*memory));
    queue.ring_ = ::new (queue.memory_.begin()) SharedRing(capacity(maxsize, ring_bytes), maxsize);
    return queue;
  }

  /// The queue of another process, by the descriptor of its file, which stays the caller's. Both must mean the same T.
  /// invalid_argument: that is no queue.
  [[nodiscard]] static Result<SharedQueue> open(int descriptor) {
    auto memory = SharedMemory::open(descriptor);
    if (!memory) return memory.error();
    SharedQueue queue(std::move(*memory));
    queue.ring_ = SharedRing::in(queue.memory_.begin(), queue.memory_.size());
    if (!queue.ring_) return Errc::invalid_argument;
    return queue;
  }

  SharedQueue(SharedQueue&& other) noexcept
      : memory_(std::move(other.memory_)), ring_(std::exchange(other.ring_, nullptr)) {}
  SharedQueue& operator=(SharedQueue&&) = delete;
  /// Leaves the queue; it is gone with the last process that has it. What this thread has got and has not reported done
  /// counts as lost.
  ~SharedQueue() {
    if (ring_ && !ring_->leave()) memory_.forget();
  }

  /// Adds the item, waiting for room as long as it takes. closed; message_size: it is longer than the ring; canceled;
  /// and what encoding a Value says.
  Result<void> put(const T& item) { return put_until(item, Deadline{}); }
  /// Adds the item if there is room. full, and as put. (Python's put_nowait.)
  [[nodiscard]] Result<void> try_put(const T& item) {
    return Codec::encode(item, [&](SharedRing::Bytes bytes) { return ring_->try_put(bytes); });
  }
  /// Adds the item, waiting for room within the time. timed_out, and as put.
  template <class Rep, class Period>
  [[nodiscard]] Result<void> put_for(const T& item, std::chrono::duration<Rep, Period> timeout) {
    return put_until(item, Deadline::after(timeout));
  }

  /// Takes an item, waiting for one as long as it takes. closed, when there is none left; canceled; and what decoding a
  /// Value says, message_size if another process has put something that is no T.
  Result<T> get() { return get_until(Deadline{}); }
  /// Takes an item if there is one. empty, and as get. (Python's get_nowait.)
  [[nodiscard]] Result<T> try_get() {
    return Codec::decode([&](SharedRing::Accept* accept, void* argument) { return ring_->try_get(accept, argument); });
  }
  /// Takes an item, waiting for one within the time. timed_out, and as get.
  template <class Rep, class Period> [[nodiscard]] Result<T> get_for(std::chrono::duration<Rep, Period> timeout) {
    return get_until(Deadline::after(timeout));
  }

  /// Items in the queue at some moment of the call.
  std::size_t size() const { return ring_->size(); }
  bool empty() const { return size() == 0; }
  /// Whether there is no room for one more, of the least length.
  bool full() const { return ring_->full(Codec::length); }

  /// Says that the work for an item that was got is done. over_released, if nobody has one in hand.
  Result<void> task_done() { return ring_->task_done(); }
  /// Blocks until the queue is empty and every item that was got is done. owner_died: so it is, but one was lost with a
  /// process that was killed (or a thread that ended) before it had said so.
  Result<void> join() { return ring_->join(Deadline::no_matter_what()); }
  template <class Rep, class Period> [[nodiscard]] Result<void> join_for(std::chrono::duration<Rep, Period> timeout) {
    return ring_->join(Deadline::after(timeout));
  }
  /// Closes the queue for all processes: put fails from now on, also where it is waiting, and get when it finds no
  /// item. With `immediate` the items still in the queue are dropped and count as done.
  void shutdown(bool immediate = false) { ring_->shutdown(immediate); }

  /// Of the file, for a process that is to open() it; -1: there is none.
  int descriptor() const { return memory_.descriptor(); }

 private:
  explicit SharedQueue(SharedMemory&& memory) : memory_(std::move(memory)) {}

  static std::size_t capacity(std::size_t maxsize, std::size_t ring_bytes) {
    if (ring_bytes != 0) return ring_bytes;
    if (maxsize == 0 || Codec::length == 0) return default_bytes;
    return maxsize <= SharedRing::most_capacity ? maxsize * SharedRing::room_for(Codec::length) : maxsize;
  }

  Result<void> put_until(const T& item, Deadline deadline) {
    return Codec::encode(item, [&](SharedRing::Bytes bytes) { return ring_->put(bytes, deadline); });
  }
  Result<T> get_until(Deadline deadline) {
    return Codec::decode(
        [&](SharedRing::Accept* accept, void* argument) { return ring_->get(accept, argument, deadline); });
  }

  SharedMemory memory_;
  SharedRing* ring_ = nullptr;
};

} // namespace rt
