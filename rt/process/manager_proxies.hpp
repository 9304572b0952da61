#pragma once
// Proxies: objects of a manager's server, used as if they were here (Python's multiprocessing.managers). Each call is a
// request to the server, and blocks only the calling task.
//
// A proxy is a small handle that can be copied, also into a child process, where it talks to the server through a
// connection of that process. It can be stored in another object: it becomes a reference there, and proxy<P>() of what
// is got from there leads to the same object.
//
// Every call can fail with server_lost, timed_out and canceled (by the task's Timeout or a cancel; the request is taken
// back), and not_found: the object was removed.

#include <rt/process/manager_client.hpp>
#include <rt/process/manager_protocol.hpp>

#include <chrono>

namespace rt {

class Proxy {
 public:
  Proxy() = default;
  Proxy(managing::ClientPointer client, std::int64_t number) : client_(std::move(client)), number_(number) {}

  /// The object's number in the server.
  std::int64_t number() const { return number_; }

  /// The proxy that a value stands for which was got from an object. invalid_argument: it is none of that kind.
  template <class P> Result<P> proxy(const Value& value) const { return make<P>(client_, value); }

  template <class P> static Result<P> make(const managing::ClientPointer& client, const Value& value) {
    const managing::Reference reference = managing::read_reference(value);
    if (reference.object == 0 || reference.kind != P::kind) return Errc::invalid_argument;
    return P(client, reference.object);
  }

 protected:
  template <class... A> Result<Value> call(std::string_view method, A&&... arguments) const {
    Value::List list;
    list.reserve(sizeof...(A));
    (list.emplace_back(std::forward<A>(arguments)), ...);
    return client_->call(number_, method, std::move(list));
  }
  template <class... A> Result<void> command(std::string_view method, A&&... arguments) const {
    return call(method, std::forward<A>(arguments)...).error();
  }
  template <class... A> Result<std::int64_t> count(std::string_view method, A&&... arguments) const {
    const auto answer = call(method, std::forward<A>(arguments)...);
    if (!answer) return answer.error();
    return answer->is_integer() ? Result<std::int64_t>(answer->integer()) : Errc::bad_message;
  }
  template <class... A> Result<bool> test(std::string_view method, A&&... arguments) const {
    const auto answer = call(method, std::forward<A>(arguments)...);
    if (!answer) return answer.error();
    return answer->is_boolean() ? Result<bool>(answer->boolean()) : Errc::bad_message;
  }
  /// Whether something was got at once.
  template <class... A> Result<bool> attempt(std::string_view method, A&&... arguments) const {
    const auto answer = call(method, std::forward<A>(arguments)...);
    if (answer) return true;
    return answer.error() == Errc::would_block ? Result<bool>(false) : answer.error().code;
  }
  template <class Rep, class Period> static Value seconds(std::chrono::duration<Rep, Period> time) {
    return std::chrono::duration<double>(time).count();
  }

 private:
  managing::ClientPointer client_;
  std::int64_t number_ = 0;
};

namespace managing {

/// What a proxy of one kind is: it can be stored as a value.
template <class P> class ProxyOf : public Proxy {
 public:
  using Proxy::Proxy;
  operator Value() const { return make_reference(P::kind, number()); }
};

} // namespace managing

/// Keys and values in the order in which the keys were added (Python's dict). Of a key that is not there: not_found.
class DictProxy : public managing::ProxyOf<DictProxy> {
 public:
  static constexpr std::string_view kind = "dict";
  using ProxyOf::ProxyOf;

  Result<Value> get(const Value& key) const { return call("get", key); }
  Result<Value> get(const Value& key, const Value& fallback) const { return call("get", key, fallback); }
  Result<void> set(const Value& key, const Value& value) const { return command("set", key, value); }
  Result<void> erase(const Value& key) const { return command("delete", key); }
  Result<bool> contains(const Value& key) const { return test("contains", key); }
  Result<std::int64_t> size() const { return count("size"); }
  Result<void> clear() const { return command("clear"); }
  /// All of it, as a map.
  Result<Value> copy() const { return call("copy"); }
  Result<Value> keys() const { return call("keys"); }
  Result<Value> values() const { return call("values"); }
  Result<Value> items() const { return call("items"); }
  Result<Value> pop(const Value& key) const { return call("pop", key); }
  Result<Value> pop(const Value& key, const Value& fallback) const { return call("pop", key, fallback); }
  /// [key, value] of the key that was added last.
  Result<Value> pop_item() const { return call("pop_item"); }
  /// What is there; the value, if there was nothing.
  Result<Value> set_default(const Value& key, const Value& value) const { return call("set_default", key, value); }
  Result<void> update(const Value& map) const { return command("update", map); }

  // In one step, whatever others do.

  /// Adds a number to the one that is there, or to `first`, and returns the sum. value_too_large; invalid_argument.
  Result<Value> add(const Value& key, const Value& number, const Value& first = 0) const {
    return call("add", key, number, first);
  }
  /// Sets the value if the present one is `expected`; null: there is none. Returns whether it was.
  Result<bool> compare_and_set(const Value& key, const Value& expected, const Value& value) const {
    return test("compare_and_set", key, expected, value);
  }
};

/// Named values (Python's Namespace).
class NameSpaceProxy : public managing::ProxyOf<NameSpaceProxy> {
 public:
  static constexpr std::string_view kind = "name_space";
  using ProxyOf::ProxyOf;

  Result<Value> get(std::string_view name) const { return call("get", name); }
  Result<void> set(std::string_view name, const Value& value) const { return command("set", name, value); }
  Result<void> erase(std::string_view name) const { return command("delete", name); }
  Result<Value> names() const { return call("keys"); }
  Result<Value> copy() const { return call("copy"); }
};

namespace managing {

/// What a list and an array have in common. Negative indices count from the end; not_found: outside.
template <class P> class SequenceProxy : public ProxyOf<P> {
 public:
  using ProxyOf<P>::ProxyOf;

  Result<Value> get(std::int64_t index) const { return this->call("get", index); }
  Result<void> set(std::int64_t index, const Value& value) const { return this->command("set", index, value); }
  Result<std::int64_t> size() const { return this->count("size"); }
  Result<Value> copy() const { return this->call("copy"); }
  /// From begin up to, and without, end; both may be outside.
  Result<Value> slice(std::int64_t begin, std::int64_t end) const { return this->call("slice", begin, end); }
  Result<std::int64_t> index(const Value& value) const { return this->count("index", value); }
  Result<std::int64_t> count_of(const Value& value) const { return this->count("count", value); }
  Result<bool> contains(const Value& value) const { return this->test("contains", value); }
  Result<void> reverse() const { return this->command("reverse"); }
  Result<void> sort() const { return this->command("sort"); }
  Result<Value> add(std::int64_t index, const Value& number) const { return this->call("add", index, number); }
  Result<bool> compare_and_set(std::int64_t index, const Value& expected, const Value& value) const {
    return this->test("compare_and_set", index, expected, value);
  }
};

} // namespace managing

class ListProxy : public managing::SequenceProxy<ListProxy> {
 public:
  static constexpr std::string_view kind = "list";
  using SequenceProxy::SequenceProxy;

  Result<void> append(const Value& value) const { return command("append", value); }
  Result<void> extend(const Value& list) const { return command("extend", list); }
  /// Before the index; at the end, if that is beyond it.
  Result<void> insert(std::int64_t index, const Value& value) const { return command("insert", index, value); }
  Result<Value> pop(std::int64_t index = -1) const { return call("pop", index); }
  Result<void> erase(std::int64_t index) const { return command("delete", index); }
  /// The first one that is equal.
  Result<void> remove(const Value& value) const { return command("remove", value); }
  Result<void> clear() const { return command("clear"); }
};

/// As many values as at the beginning.
class ArrayProxy : public managing::SequenceProxy<ArrayProxy> {
 public:
  static constexpr std::string_view kind = "array";
  using SequenceProxy::SequenceProxy;
};

class ValueProxy : public managing::ProxyOf<ValueProxy> {
 public:
  static constexpr std::string_view kind = "value";
  using ProxyOf::ProxyOf;

  Result<Value> get() const { return call("get"); }
  Result<void> set(const Value& value) const { return command("set", value); }
  /// In one step: returns the sum.
  Result<Value> add(const Value& number) const { return call("add", number); }
  Result<bool> compare_and_set(const Value& expected, const Value& value) const {
    return test("compare_and_set", expected, value);
  }
};

namespace managing {

/// What is acquired, and given back by a client that dies.
template <class P> class AcquirableProxy : public ProxyOf<P> {
 public:
  using ProxyOf<P>::ProxyOf;

  /// deadlock: it is a lock of the caller's already, and can be acquired once only.
  Result<void> acquire() const { return this->command("acquire"); }
  Result<bool> try_acquire() const { return this->attempt("acquire", 0); }
  template <class Rep, class Period> Result<void> try_acquire_for(std::chrono::duration<Rep, Period> time) const {
    return this->command("acquire", this->seconds(time));
  }
};

/// What has an owner: the task that has acquired it.
template <class P> class LockableProxy : public AcquirableProxy<P> {
 public:
  using AcquirableProxy<P>::AcquirableProxy;

  /// not_owner.
  Result<void> release() const { return this->command("release"); }
  Result<bool> locked() const { return this->test("locked"); }
};

} // namespace managing

class LockProxy : public managing::LockableProxy<LockProxy> {
 public:
  static constexpr std::string_view kind = "lock";
  using LockableProxy::LockableProxy;
};

class RLockProxy : public managing::LockableProxy<RLockProxy> {
 public:
  static constexpr std::string_view kind = "rlock";
  using LockableProxy::LockableProxy;
};

/// With a lock of its own, which can be acquired again by its owner. All but acquire: not_owner.
class ConditionProxy : public managing::LockableProxy<ConditionProxy> {
 public:
  static constexpr std::string_view kind = "condition";
  using LockableProxy::LockableProxy;

  Result<void> wait() const { return command("wait"); }
  /// The caller has the lock again when its time is over, too.
  template <class Rep, class Period> Result<void> wait_for(std::chrono::duration<Rep, Period> time) const {
    return command("wait", seconds(time));
  }
  template <std::predicate P> Result<void> wait(P predicate) const {
    while (!predicate())
      if (const auto waited = wait(); !waited) return waited;
    return {};
  }
  Result<void> notify_one() const { return command("notify"); }
  Result<void> notify(std::int64_t n) const { return command("notify", n); }
  Result<void> notify_all() const { return command("notify_all"); }
};

class EventProxy : public managing::ProxyOf<EventProxy> {
 public:
  static constexpr std::string_view kind = "event";
  using ProxyOf::ProxyOf;

  Result<void> set() const { return command("set"); }
  Result<void> clear() const { return command("clear"); }
  Result<bool> is_set() const { return test("is_set"); }
  Result<void> wait() const { return command("wait"); }
  template <class Rep, class Period> Result<void> wait_for(std::chrono::duration<Rep, Period> time) const {
    return command("wait", seconds(time));
  }
};

namespace managing {

/// What has permits, which any task may release.
template <class P> class PermitsProxy : public AcquirableProxy<P> {
 public:
  using AcquirableProxy<P>::AcquirableProxy;

  /// over_released: beyond the initial value of a bounded one.
  Result<void> release(std::int64_t n = 1) const { return this->command("release", n); }
  Result<std::int64_t> value() const { return this->count("value"); }
};

} // namespace managing

class SemaphoreProxy : public managing::PermitsProxy<SemaphoreProxy> {
 public:
  static constexpr std::string_view kind = "semaphore";
  using PermitsProxy::PermitsProxy;
};

class BoundedSemaphoreProxy : public managing::PermitsProxy<BoundedSemaphoreProxy> {
 public:
  static constexpr std::string_view kind = "bounded_semaphore";
  using PermitsProxy::PermitsProxy;
};

/// A party that gives up or dies while it waits breaks it: the others get broken_barrier.
class BarrierProxy : public managing::ProxyOf<BarrierProxy> {
 public:
  static constexpr std::string_view kind = "barrier";
  using ProxyOf::ProxyOf;

  Result<std::int64_t> wait() const { return count("wait"); }
  template <class Rep, class Period> Result<std::int64_t> wait_for(std::chrono::duration<Rep, Period> time) const {
    return count("wait", seconds(time));
  }
  Result<void> reset() const { return command("reset"); }
  Result<void> abort() const { return command("abort"); }
  Result<std::int64_t> parties() const { return count("parties"); }
  Result<std::int64_t> n_waiting() const { return count("waiting"); }
  Result<bool> broken() const { return test("broken"); }
};

/// As rt::Queue, with its errors: full, empty, closed, over_released.
class QueueProxy : public managing::ProxyOf<QueueProxy> {
 public:
  static constexpr std::string_view kind = "queue";
  using ProxyOf::ProxyOf;

  Result<void> put(const Value& value) const { return command("put", value); }
  Result<void> try_put(const Value& value) const { return command("put", value, 0); }
  template <class Rep, class Period>
  Result<void> put_for(const Value& value, std::chrono::duration<Rep, Period> time) const {
    return command("put", value, seconds(time));
  }
  Result<Value> get() const { return call("get"); }
  Result<Value> try_get() const { return call("get", 0); }
  template <class Rep, class Period> Result<Value> get_for(std::chrono::duration<Rep, Period> time) const {
    return call("get", seconds(time));
  }
  Result<std::int64_t> size() const { return count("size"); }
  Result<bool> empty() const { return test("empty"); }
  Result<bool> full() const { return test("full"); }
  Result<void> task_done() const { return command("task_done"); }
  Result<void> join() const { return command("join"); }
  Result<void> shutdown(bool immediate = false) const { return command("shutdown", immediate); }
};

} // namespace rt
