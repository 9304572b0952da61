// The objects of a manager that clients wait for: lock, rlock, condition, semaphores, event, barrier.

#include <rt/process/manager_object.hpp>

#include <algorithm>

namespace rt::managing {
namespace {

/// Lock, or RLock where it may be acquired again by its owner; the lock in a Condition.
class Mutex {
 public:
  explicit Mutex(bool recursive) : recursive_(recursive) {}

  /// deadlock: a lock that is not recursive is the caller's already, who would wait for itself.
  Result<void> acquire(Request& request, const Patience& patience) {
    if (owner_ == request.caller && !recursive_) return patience.none ? Errc::would_block : Errc::deadlock;
    while (owner_ && owner_ != request.caller)
      if (const auto waited = waiters_.wait(request, patience); !waited) return waited;
    owner_ = request.caller;
    ++depth_;
    return {};
  }

  Result<void> release(const Caller& caller) {
    if (owner_ != caller) return Errc::not_owner;
    if (--depth_ == 0) free();
    return {};
  }

  void end_session(const Session& session) {
    if (owner_.session == &session) free();
  }

  /// Gives the lock up altogether, and says how often it had been acquired.
  unsigned suspend() {
    const unsigned depth = depth_;
    free();
    return depth;
  }
  Result<void> resume(Request& request, unsigned depth) {
    const auto acquired = acquire(request, {});
    if (acquired) depth_ = depth;
    return acquired;
  }

  bool locked() const { return static_cast<bool>(owner_); }
  bool owned_by(const Caller& caller) const { return owner_ == caller; }

 private:
  void free() {
    owner_ = {};
    depth_ = 0;
    waiters_.wake(1);
  }

  const bool recursive_;
  Caller owner_;
  unsigned depth_ = 0;
  WaitQueue waiters_;
};

Answer answer(const Result<void>& result) { return result ? done() : result.error(); }

class LockObject : public Object {
 public:
  explicit LockObject(std::string_view kind) : mutex_(kind != "lock"), kind_(kind) {}

  std::string_view kind() const override { return kind_; }

  Answer call(Request& request) override {
    if (request.method == "acquire") return acquire(request);
    if (request.method == "release") return answer(mutex_.release(request.caller));
    if (request.method == "locked") return Value(mutex_.locked());
    return Errc::operation_not_supported;
  }

  void give_back(const Caller& caller) override { (void)mutex_.release(caller); }
  void end_session(const Session& session) override { mutex_.end_session(session); }

 protected:
  Mutex mutex_;

 private:
  Answer acquire(Request& request) {
    const auto patience = request.patience(0);
    if (!patience) return patience.error();
    const auto acquired = mutex_.acquire(request, *patience);
    if (acquired) request.acquire();
    return answer(acquired);
  }

  const std::string_view kind_; // a constant
};

class ConditionObject final : public LockObject {
 public:
  ConditionObject() : LockObject("condition") {}

  Answer call(Request& request) override {
    if (request.method == "wait") return wait(request);
    const bool all = request.method == "notify_all";
    if (!all && request.method != "notify") return LockObject::call(request);
    const auto count = request.integer(0, 1);
    if (!count || *count < 0) return Errc::invalid_argument;
    if (!mutex_.owned_by(request.caller)) return Errc::not_owner;
    if (all)
      waiters_.wake_all();
    else
      waiters_.wake(static_cast<std::size_t>(*count));
    return done();
  }

 private:
  Answer wait(Request& request) {
    const auto patience = request.patience(0);
    if (!patience) return patience.error();
    if (!mutex_.owned_by(request.caller)) return Errc::not_owner;
    const unsigned depth = mutex_.suspend();
    const auto waited = waiters_.wait(request, *patience);
    // The caller has the lock again, whatever it is told.
    if (const auto resumed = mutex_.resume(request, depth); !resumed) return resumed.error();
    return waited.error() == Errc::would_block ? Answer(Errc::timed_out) : answer(waited);
  }

  WaitQueue waiters_;
};

class SemaphoreObject final : public Object {
 public:
  SemaphoreObject(bool bounded, std::int64_t permits) : bounded_(bounded), initial_(permits), permits_(permits) {}

  std::string_view kind() const override { return bounded_ ? "bounded_semaphore" : "semaphore"; }

  Answer call(Request& request) override {
    if (request.method == "value") return Value(permits_);
    if (request.method == "release") return release(request);
    if (request.method != "acquire") return Errc::operation_not_supported;
    const auto patience = request.patience(0);
    if (!patience) return patience.error();
    while (permits_ == 0)
      if (const auto waited = waiters_.wait(request, *patience); !waited) return waited.error();
    --permits_;
    ++held_by(request.caller.session);
    request.acquire();
    return done();
  }

  void give_back(const Caller& caller) override { give_back(caller.session, 1); }
  void end_session(const Session& session) override {
    give_back(&session, INT64_MAX);
    std::erase_if(holders_, [&](const Holder& holder) { return holder.session == &session; });
  }

 private:
  /// What a client has acquired and not released. Somebody else may have released it, as where one side produces and
  /// the other one consumes: so what is given back for a client never makes more permits than there were at the
  /// beginning.
  struct Holder {
    const Session* session;
    std::int64_t permits;
  };

  std::int64_t& held_by(const Session* session) {
    const auto found = std::ranges::find(holders_, session, &Holder::session);
    if (found != holders_.end()) return found->permits;
    holders_.push_back({session, 0});
    return holders_.back().permits;
  }

  Answer release(Request& request) {
    const auto count = request.integer(0, 1);
    if (!count || *count < 1) return Errc::invalid_argument;
    if (*count > (bounded_ ? initial_ : INT64_MAX) - permits_) return Errc::over_released;
    std::int64_t& held = held_by(request.caller.session);
    held -= std::min(held, *count);
    add(*count);
    return done();
  }
  void give_back(const Session* session, std::int64_t most) {
    std::int64_t& held = held_by(session);
    const std::int64_t count = std::min(held, most);
    held -= count;
    add(std::clamp<std::int64_t>(initial_ - permits_, 0, count));
  }
  void add(std::int64_t count) {
    permits_ += count;
    waiters_.wake(static_cast<std::size_t>(count));
  }

  const bool bounded_;
  const std::int64_t initial_;
  std::int64_t permits_;
  std::vector<Holder> holders_;
  WaitQueue waiters_;
};

class EventObject final : public Object {
 public:
  std::string_view kind() const override { return "event"; }

  Answer call(Request& request) override {
    if (request.method == "is_set") return Value(set_);
    if (request.method == "clear") return set_ = false, done();
    if (request.method == "set") return set_ = true, waiters_.wake_all(), done();
    if (request.method != "wait") return Errc::operation_not_supported;
    const auto patience = request.patience(0);
    if (!patience) return patience.error();
    if (set_) return done();
    const auto waited = waiters_.wait(request, *patience);
    return waited.error() == Errc::would_block ? Answer(Errc::timed_out) : answer(waited);
  }

 private:
  bool set_ = false;
  WaitQueue waiters_;
};

class BarrierObject final : public Object {
 public:
  explicit BarrierObject(std::int64_t parties) : parties_(parties) {}

  std::string_view kind() const override { return "barrier"; }

  Answer call(Request& request) override {
    if (request.method == "wait") return wait(request);
    if (request.method == "parties") return Value(parties_);
    if (request.method == "waiting") return Value(waiters_.size());
    if (request.method == "broken") return Value(broken_);
    if (request.method == "abort") return break_waiters(), broken_ = true, done();
    if (request.method != "reset") return Errc::operation_not_supported;
    break_waiters();
    broken_ = false;
    return done();
  }

 private:
  Answer wait(Request& request) {
    const auto patience = request.patience(0);
    if (!patience) return patience.error();
    if (broken_) return Errc::broken_barrier;
    const std::int64_t index = static_cast<std::int64_t>(waiters_.size());
    if (index + 1 == parties_) return waiters_.wake_all(), Value(index);
    const auto waited = waiters_.wait(request, *patience);
    if (waited) return Value(index);
    if (waited.error() == Errc::broken_barrier) return Errc::broken_barrier;
    break_waiters(); // one that gives up, or has gone, would be missed by the others
    broken_ = true;
    return waited.error() == Errc::would_block ? Errc::timed_out : waited.error().code;
  }
  void break_waiters() { waiters_.wake_all(Errc::broken_barrier); }

  const std::int64_t parties_;
  bool broken_ = false;
  WaitQueue waiters_;
};

} // namespace

std::unique_ptr<Object> make_lock(std::string_view kind, Request& request) {
  if (kind == "lock") return std::make_unique<LockObject>("lock");
  if (kind == "rlock") return std::make_unique<LockObject>("rlock");
  if (kind == "condition") return std::make_unique<ConditionObject>();
  if (kind == "event") return std::make_unique<EventObject>();
  const bool barrier = kind == "barrier", bounded = kind == "bounded_semaphore";
  if (!barrier && !bounded && kind != "semaphore") return nullptr;
  const auto count = request.integer(0, barrier ? std::optional<std::int64_t>() : 1);
  if (!count || *count < barrier) return nullptr;
  if (barrier) return std::make_unique<BarrierObject>(*count);
  return std::make_unique<SemaphoreObject>(bounded, *count);
}

} // namespace rt::managing
