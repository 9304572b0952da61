#pragma once
// What a manager's server keeps for its clients, and how a request gets at it. All of it runs in the fibers of one
// thread, so nothing here needs a lock: between two waits, a request is alone.

#include <rt/hub/fiber.hpp>
#include <rt/process/value.hpp>
#include <rt/sync/event.hpp>

#include <memory>
#include <optional>

namespace rt::managing {

using Answer = Result<Value>;
inline Answer done() { return Value(); }

/// A client: all connections that named the same session.
struct Session {
  std::string name;
  unsigned connections = 0;
  std::vector<std::int64_t> known; ///< objects that it has used, in order
};

/// Whom a lock belongs to: one task of one client.
struct Caller {
  const Session* session = nullptr;
  std::int64_t task = 0;

  explicit operator bool() const { return session != nullptr; }
  friend bool operator==(const Caller&, const Caller&) = default;
};

class Waiting;

/// One connection, as far as requests have to do with it.
class Link {
 public:
  /// What the last request has acquired is given back if the connection ends before the next one.
  struct Acquired {
    std::int64_t object = 0; // 0: nothing
    Caller caller;
  };

  Link(Session& session, int descriptor) : session(session), descriptor_(descriptor) {}
  Link(const Link&) = delete;
  ~Link();

  /// The client has closed its end, or died. Known only while a request waits.
  bool gone() const { return gone_; }

  Session& session;
  Acquired acquired;

 private:
  friend class WaitQueue;
  Result<void> watch();

  const int descriptor_;
  bool gone_ = false;
  Waiting* waiting_ = nullptr;
  Fiber<void> watcher_; // from the first wait on
};

/// How long a request may wait.
struct Patience {
  bool none = false;
  Deadline deadline;
};

/// A request, and what its arguments are. A client may send anything: each is looked at before it is used.
class Request {
 public:
  Request(Link& link, std::int64_t object, std::int64_t task, std::string_view method, Value::List& arguments)
      : link(link), caller{&link.session, task}, method(method), object_(object), arguments_(arguments) {}

  bool has(std::size_t index) const { return index < arguments_.size(); }
  /// Null if it was left out.
  Value& argument(std::size_t index);
  Value take(std::size_t index) { return std::move(argument(index)); }
  /// invalid_argument: it is no integer, or was left out without a fallback.
  Result<std::int64_t> integer(std::size_t index, std::optional<std::int64_t> fallback = {});
  Result<Patience> patience(std::size_t index);

  /// To be called when something is acquired that the client gives back by itself later.
  void acquire() { link.acquired = {object_, caller}; }

  Link& link;
  const Caller caller;
  const std::string_view method;

 private:
  const std::int64_t object_;
  Value::List& arguments_;
  Value left_out_;
};

/// Requests that wait for something, first come, first served.
class WaitQueue {
 public:
  /// Until woken. canceled: the client is gone; timed_out, and would_block if it has no patience; not_enough_memory.
  Result<void> wait(Request& request, const Patience& patience);
  /// Wakes those that came first. If the client of one of them is gone by then, the next one is woken in its place.
  void wake(std::size_t count);
  /// Wakes all who wait now, and tells them that.
  void wake_all(Errc outcome = Errc::none);
  std::size_t size() const { return size_; }

 private:
  void remove(Waiting& waiting);
  void wake_first(bool hand_on, Errc outcome);

  Waiting* first_ = nullptr;
  Waiting** last_ = &first_;
  std::size_t size_ = 0;
};

/// Anything that has a number.
class Object {
 public:
  virtual ~Object() = default;

  virtual std::string_view kind() const = 0;
  /// operation_not_supported: there is no such method.
  virtual Answer call(Request& request) = 0;
  /// What the caller has acquired once, and will not give back.
  virtual void give_back(const Caller&) {}
  /// The same for all that the session has.
  virtual void end_session(const Session&) {}
  /// Shows all values in it.
  virtual void visit(void (*see)(void* argument, const Value& value), void* argument) const {
    (void)see, (void)argument;
  }

  std::int64_t number = 0;
  unsigned users = 0;    ///< requests that are in it, perhaps waiting
  unsigned known_by = 0; ///< sessions
  bool published = false;
  bool reached = false; ///< while garbage is looked for
};

/// nullptr: none of these has that kind, or the arguments are wrong.
std::unique_ptr<Object> make_container(std::string_view kind, Request& request);
std::unique_ptr<Object> make_lock(std::string_view kind, Request& request);
std::unique_ptr<Object> make_queue(std::string_view kind, Request& request);

} // namespace rt::managing
