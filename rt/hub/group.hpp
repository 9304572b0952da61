#pragma once
// Group: fibers that are waited for, or canceled, together (gevent.pool.Group, and Pool where there is a limit).

#include <rt/hub/fiber.hpp>
#include <rt/sync/semaphore.hpp>

#include <algorithm>
#include <vector>

namespace rt {

/// Belongs to the thread that made it. When it ends, it waits for its fibers.
class Group {
 public:
  /// limit: how many of its fibers may be alive at the same time; 0: any number.
  explicit Group(unsigned limit = 0) : limit_(limit), permits_(limit) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() { join(); }

  /// Runs function(arguments...) in a new fiber of the group; what it returns is dropped. Blocks while as many are
  /// alive as may be. canceled, timed_out while it waited; not_enough_memory, too_many_mappings.
  template <class F, class... A>
  requires std::invocable<std::decay_t<F>, std::decay_t<A>...> Result<void> spawn(F&& function, A&&... arguments) {
    if (limit_ != 0)
      if (const Result<void> permit = permits_.try_acquire_for(forever); !permit) return permit;
    auto fiber =
        try_spawn(FiberOptions{}, Call<std::decay_t<F>, std::decay_t<A>...>{
                                      Member(*this), {std::forward<F>(function), std::forward<A>(arguments)...}});
    if (!fiber) return fiber.error();
    forget_ended();
    fibers_.push_back(std::move(fiber.value()));
    return {};
  }

  /// Blocks until all its fibers have ended, also those that they add meanwhile.
  void join() {
    while (const std::uint32_t count = alive_.load(std::memory_order_relaxed))
      PrivateScope::wait_on(alive_, count, Deadline::no_matter_what());
  }

  /// Cancels all its fibers; see Fiber::cancel.
  void cancel() {
    for (auto& fiber : fibers_) fiber.cancel();
  }

  /// How many have not ended.
  std::size_t size() const { return alive_.load(std::memory_order_relaxed); }

 private:
  // One of those alive, and with its permit, for as long as this exists. It is destroyed after what the fiber was made
  // from, which is the last thing of a fiber that others can notice.
  class Member {
   public:
    explicit Member(Group& group) : group_(&group) { group.alive_.fetch_add(1, std::memory_order_relaxed); }
    Member(Member&& other) noexcept : group_(std::exchange(other.group_, nullptr)) {}
    Member& operator=(Member&&) = delete;
    ~Member() {
      if (!group_) return;
      if (group_->limit_ != 0) group_->permits_.release();
      Word& alive = group_->alive_;
      if (alive.fetch_sub(1, std::memory_order_relaxed) == 1) PrivateScope::wake(alive, everybody);
    }

   private:
    Group* group_;
  };

  template <class F, class... A> struct Call {
    Member member;
    std::tuple<F, A...> all;

    void operator()() && {
      std::apply([](F& f, A&... a) { (void)std::move(f)(std::move(a)...); }, all);
    }
  };

  // Now and then, so that the list stays at most twice as long as what lives.
  void forget_ended() {
    if (fibers_.size() < 2 * kept_) return;
    std::erase_if(fibers_, [](const auto& fiber) { return fiber.done(); });
    kept_ = std::max<std::size_t>(fibers_.size(), 16);
  }

  const unsigned limit_;
  Semaphore permits_;
  Word alive_ = 0;
  std::vector<Fiber<void>> fibers_; // all of those alive are among them
  std::size_t kept_ = 16;
};

} // namespace rt
