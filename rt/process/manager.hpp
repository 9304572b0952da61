#pragma once
// Manager: a server process that holds objects for other processes, on this machine or another one (Python's
// multiprocessing.Manager).
//
//   rt::Manager manager;
//   manager.start().value();
//   const auto dict = manager.dict().value();
//   rt::Process process([&] { dict.set(1, "one").value(); });
//
// The server is a daemon: it ends with the process that has started it, and its objects with it. Who knows its key can
// use it: by connect(), with the server at a TCP address, from another machine; in another language, as
// manager_protocol.hpp tells.
//
// An object lives as long as a process that has used it, or as it is published, or as it can be reached by references
// from such; or until it is removed.

#include <rt/process/manager_proxies.hpp>
#include <rt/process/process.hpp>

#include <optional>

namespace rt {

struct ManagerOptions {
  /// Where the server listens, local or of TCP; none: at a local address that nobody else has.
  Address address = {};
  /// Empty: 32 random bytes, which children inherit.
  std::string_view key = {};
};

class Manager {
 public:
  explicit Manager(const ManagerOptions& options = {});
  Manager(Manager&&) noexcept = default;
  /// Ends the server, in the process that has started it.
  ~Manager();

  /// Starts the server. already_started; errors of Process::start and of listening, as address_in_use.
  Result<void> start();
  /// Ends the server, where it was started: calls from then on fail with server_lost.
  void shutdown();

  /// Joins a server that was started elsewhere. connection_refused and others of connect(2); permission_denied: the key
  /// is another one there.
  static Result<Manager> connect(const Address& address, std::string_view key);

  /// Where the server listens, once it does.
  Address address() const { return address_; }
  std::string_view key() const { return key_; }
  /// Of the server; 0: it was not started here.
  kernel::ProcessId pid() const { return process_ ? process_->pid() : 0; }

  Result<DictProxy> dict(const Value& items = Value::Map()) const { return create<DictProxy>(items); }
  Result<ListProxy> list(const Value& items = Value::List()) const { return create<ListProxy>(items); }
  Result<NameSpaceProxy> name_space() const { return create<NameSpaceProxy>(); }
  Result<ValueProxy> value(const Value& value = nullptr) const { return create<ValueProxy>(value); }
  /// All 0 in the beginning; not more than 2^24.
  Result<ArrayProxy> array(std::size_t size) const { return create<ArrayProxy>(size); }
  Result<ArrayProxy> array(const Value::List& items) const { return create<ArrayProxy>(items); }
  Result<LockProxy> lock() const { return create<LockProxy>(); }
  Result<RLockProxy> rlock() const { return create<RLockProxy>(); }
  Result<ConditionProxy> condition() const { return create<ConditionProxy>(); }
  Result<EventProxy> event() const { return create<EventProxy>(); }
  Result<SemaphoreProxy> semaphore(unsigned n = 1) const { return create<SemaphoreProxy>(n); }
  Result<BoundedSemaphoreProxy> bounded_semaphore(unsigned n = 1) const { return create<BoundedSemaphoreProxy>(n); }
  Result<BarrierProxy> barrier(unsigned parties) const { return create<BarrierProxy>(parties); }
  /// maxsize 0: any number of items.
  Result<QueueProxy> queue(std::size_t maxsize = 0) const { return create<QueueProxy>(maxsize); }

  /// Gives an object a name, by which other clients find it. What had the name before has it no more.
  Result<void> publish(std::string_view name, const Value& proxy) const;
  /// not_found: nothing has the name. invalid_argument: it is of another kind.
  template <class P> Result<P> find(std::string_view name) const {
    const auto found = call("find", {name});
    if (!found) return found.error();
    return proxy<P>(*found);
  }
  /// The proxy that a value stands for. invalid_argument: it is none of that kind.
  template <class P> Result<P> proxy(const Value& value) const { return Proxy::make<P>(client_, value); }
  /// Ends the object's life. device_or_resource_busy: a call to it has not returned.
  Result<void> remove(const Value& proxy) const;
  /// How many objects the server has.
  Result<std::int64_t> objects() const;

 private:
  Result<Value> call(std::string_view method, Value::List&& arguments) const;
  template <class P, class... A> Result<P> create(const A&... arguments) const {
    const auto made = call("create", {P::kind, Value::List{Value(arguments)...}});
    if (!made) return made.error();
    return proxy<P>(*made);
  }

  Address address_;
  std::string key_;
  std::unique_ptr<Process> process_;
  managing::ClientPointer client_;
};

} // namespace rt
