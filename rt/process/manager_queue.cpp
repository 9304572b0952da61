// The queue of a manager: as rt::Queue, with the values in the server.

#include <rt/process/manager_object.hpp>

#include <deque>

namespace rt::managing {
namespace {

class QueueObject final : public Object {
 public:
  explicit QueueObject(std::size_t most) : most_(most) {}

  std::string_view kind() const override { return "queue"; }

  Answer call(Request& request) override {
    const std::string_view method = request.method;
    if (method == "put") return put(request);
    if (method == "get") return get(request);
    if (method == "size") return Value(items_.size());
    if (method == "empty") return Value(items_.empty());
    if (method == "full") return Value(full());
    if (method == "task_done") return task_done();
    if (method == "join") return join(request);
    if (method == "shutdown") return shutdown(request.argument(0));
    return Errc::operation_not_supported;
  }

  void visit(void (*see)(void*, const Value&), void* argument) const override {
    for (const Value& item : items_) see(argument, item);
  }

 private:
  bool full() const { return most_ != 0 && items_.size() >= most_; }

  Answer put(Request& request) {
    const auto patience = request.patience(1);
    if (!patience) return patience.error();
    while (full() && !closed_) {
      const auto waited = putters_.wait(request, *patience);
      if (!waited) return waited.error() == Errc::would_block ? Errc::full : waited.error().code;
    }
    if (closed_) return Errc::closed;
    items_.push_back(request.take(0));
    ++unfinished_;
    getters_.wake(1);
    return done();
  }

  Answer get(Request& request) {
    const auto patience = request.patience(0);
    if (!patience) return patience.error();
    while (items_.empty()) {
      if (closed_) return Errc::closed;
      const auto waited = getters_.wait(request, *patience);
      if (!waited) return waited.error() == Errc::would_block ? Errc::empty : waited.error().code;
    }
    Value item = std::move(items_.front());
    items_.pop_front();
    putters_.wake(1);
    return item;
  }

  Answer task_done() {
    if (unfinished_ == 0) return Errc::over_released;
    finish(1);
    return done();
  }
  void finish(std::size_t count) {
    unfinished_ -= count;
    if (unfinished_ == 0) joiners_.wake_all();
  }

  Answer join(Request& request) {
    const auto patience = request.patience(0);
    if (!patience) return patience.error();
    while (unfinished_ != 0)
      if (const auto waited = joiners_.wait(request, *patience); !waited)
        return waited.error() == Errc::would_block ? Errc::timed_out : waited.error().code;
    return done();
  }

  Answer shutdown(const Value& immediate) {
    closed_ = true;
    if (immediate == true) {
      finish(items_.size());
      items_.clear();
    }
    getters_.wake_all();
    putters_.wake_all();
    return done();
  }

  const std::size_t most_; // 0: any number
  std::deque<Value> items_;
  std::size_t unfinished_ = 0; // put and not done
  bool closed_ = false;
  WaitQueue getters_, putters_, joiners_;
};

} // namespace

std::unique_ptr<Object> make_queue(std::string_view kind, Request& request) {
  const auto most = request.integer(0, 0);
  if (kind != "queue" || !most || *most < 0) return nullptr;
  return std::make_unique<QueueObject>(static_cast<std::size_t>(*most));
}

} // namespace rt::managing
