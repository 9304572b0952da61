#pragma once
// How a manager is spoken to, in any language that has CBOR and HMAC-SHA256.
//
// A connection is a stream, over TCP or a local socket, of messages: 4 bytes of size, big endian, then as many bytes of
// CBOR. First each side proves that it knows the key, without telling it:
//
//   server   ["rt-manager", 1, challenge]          the version; 32 random bytes
//   client   [session, challenge, proof]           16 random bytes; 32 random bytes; HMAC-SHA256(key, "client" + the
//                                                  server's challenge + the client's challenge + session)
//   server   [true, proof]                         HMAC-SHA256(key, "server" + the client's challenge + the server's
//                                                  challenge + session)
//
// or an error as below, if the proof is wrong, and then the end. A client that is not done after 10 seconds is cut off,
// and so is one whose messages are longer than 1 KiB until then. What is sent afterwards is neither encrypted nor
// authenticated. After that, as often as the client likes:
//
//   client   [object, method, [argument...], task]
//   server   [true, result]  or  [false, code, text]
//
// object   a number; 0 is the manager itself
// task     who in the client asks, any integer: locks belong to a task of a session. May be left out: 0.
// code     Linux's errno, or one of the runtime's own from 4096 on (rt/base/error.hpp); text says the same in English
//
// All connections that name the same session are one client. When its last one is closed, the client is gone: locks and
// permits that it held are given back (no more permits than a semaphore had at first), and where it waited, it waits no
// more. A connection that is closed while it waits for its answer takes back that request; one that is closed later
// takes back what its last request has acquired.
//
// A reference to an object is a value as well, {"rt.proxy": [kind, number]}, and may be stored in any other object.
// Objects live as long as a client that has used them, or as they are published, or as they can be reached by
// references from such.
//
// Times are in seconds, integer or floating; null: as long as it takes; 0: not at all (would_block, full, empty).
// Arguments in brackets may be left out. Lists count from 0, and from the end with negative indices, as Python's.
//
//   manager    create(kind, [argument...]) -> reference   dict({}) list([]) name_space({}) value(null)
//              array(size or list) lock rlock condition event semaphore(1) bounded_semaphore(1) barrier(parties)
//              queue(0)
//              publish(name, reference)  find(name) -> reference  remove(reference)  objects -> number of them
//   dict and   get(key, [default])  set(key, value)  delete(key)  contains(key)  size  clear  copy -> map  keys  values
//   name_space items -> [[key, value]...]  pop(key, [default])  pop_item -> [key, value]  set_default(key, value)
//              update(map)  add(key, number, [0]) -> sum  compare_and_set(key, expected, value) -> bool (null: none)
//   list       get(index)  set(index, value)  delete(index)  append(value)  extend(list)  insert(index, value)
//              pop([-1])  remove(value)  index(value)  count(value)  contains(value)  reverse  sort  size  clear  copy
//              slice(begin, end)  add(index, number) -> sum  compare_and_set(index, expected, value) -> bool
//   array      of these get, set, size, copy, slice, index, count, contains, reverse, sort, add, compare_and_set
//   value      get  set(value)  add(number) -> sum  compare_and_set(expected, value) -> bool
//   lock       acquire([time])  release  locked -> bool
//   rlock      the same; may be acquired again by its owner
//   condition  acquire([time])  release  wait([time])  notify([1])  notify_all
//   event      set  clear  is_set  wait([time])
//   semaphore, bounded_semaphore   acquire([time])  release([1])  value
//   barrier    wait([time]) -> index  reset  abort  parties  waiting  broken
//   queue      put(value, [time])  get([time])  size  empty  full  task_done  join([time])  shutdown([immediate])

#include <rt/base/sha256.hpp>
#include <rt/kernel/random.hpp>
#include <rt/process/value.hpp>

#include <chrono>

namespace rt::managing {

inline constexpr std::string_view protocol_name = "rt-manager";
inline constexpr std::int64_t protocol_version = 1;
inline constexpr std::size_t challenge_size = 32, session_size = 16;
inline constexpr std::chrono::seconds authentication_time{10};
inline constexpr std::size_t most_before_authentication = 1024;

/// A challenge or a session's name.
inline std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  kernel::fill_with_random(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

/// side: "client" or "server"; `first` is the challenge of the other side.
inline std::string proof(std::string_view key, std::string_view side, std::string_view first, std::string_view second,
                         std::string_view session) {
  HmacSha256 mac(key);
  for (const std::string_view part : {side, first, second, session}) mac.add(part);
  const Sha256::Digest digest = mac.finish();
  return std::string(digest.data(), digest.size());
}

inline constexpr const char* reference_key = "rt.proxy";

inline Value make_reference(std::string_view kind, std::int64_t object) {
  return Value::Map{{reference_key, {kind, object}}};
}

struct Reference {
  std::string_view kind; // in the value
  std::int64_t object = 0;
};
/// No object: the value is no reference.
inline Reference read_reference(const Value& value) {
  const Value* const found = value.is_map() && value.map().size() == 1 ? value.find(reference_key) : nullptr;
  if (!found || !found->is_list() || found->list().size() != 2) return {};
  const Value &kind = found->list()[0], &object = found->list()[1];
  if (!kind.is_text() || !object.is_integer()) return {};
  return {kind.text(), object.integer()};
}

} // namespace rt::managing
