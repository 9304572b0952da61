// A manager whose clients are killed at random moments: with its locks in their hands, waiting, in the middle of a
// request. The server gives on what they had, and the others do not notice.

#include "chaos.hpp"
#include "ledger.hpp"

#include <rt/hub/group.hpp>
#include <rt/process/manager.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

using namespace stress;
using rt::Errc, rt::Value;

namespace {

constexpr unsigned permits = 2, fibers = 2, capacity = 8;

/// What so many at most may be in at a time, of those that are not being killed: fibers of processes.
class Room {
 public:
  explicit Room(unsigned most) : most_(most) {}

  void enter(Actor& actor, unsigned fiber) {
    inside_[actor.place][fiber] = actor.number;
    unsigned count = 0;
    for (unsigned place = 0; place < Report::most_actors; ++place)
      for (const auto& number : inside_[place]) count += number != 0 && actor.lives(place, number);
    actor.check(count <= most_);
  }
  void leave(const Actor& actor, unsigned fiber) { inside_[actor.place][fiber] = 0; }

 private:
  const unsigned most_;
  std::atomic<unsigned> inside_[Report::most_actors][fibers] = {}; // the number of the process; 0: nobody
};

/// What the processes know without the manager.
struct Witness {
  Room lock{1}, rlock{1}, condition{1}, semaphore{permits}, bounded{permits};
  std::atomic<long> counted = 0;
  Ledger ledger;
};

template <class C> bool becomes(C condition) {
  const auto end = rt::Clock::now() + limit;
  while (!condition()) {
    if (rt::Clock::now() > end) return false;
    rt::sleep_for(1ms);
  }
  return true;
}

class ManagerScene final : public Scene {
 public:
  ManagerScene() {
    descriptors_ = descriptors_of_server();
    objects_ = manager_.objects().value();
  }

  std::vector<Role> roles() override {
    return {
        {"hold", [this](Actor& actor) { hold(actor); }},       {"visit", [this](Actor& actor) { visit(actor); }},
        {"give", [this](Actor& actor) { give(actor); }},       {"take", [this](Actor& actor) { take(actor); }},
        {"produce", [this](Actor& actor) { produce(actor); }}, {"consume", [this](Actor& actor) { consume(actor); }},
        {"meet", [this](Actor& actor) { meet(actor); }},       {"signal", [this](Actor& actor) { signal(actor); }},
        {"count", [this](Actor& actor) { count(actor); }},     {"write", [this](Actor& actor) { write(actor); }}};
  }

  void let_end() override {
    condition_.acquire().value();
    tokens_.add(1000).value();
    condition_.notify_all().value();
    condition_.release().value();
    queue_.shutdown().value();
  }

  void check(std::span<const unsigned> killed) override {
    CHECK(lock_.try_acquire_for(limit).ok());
    CHECK(rlock_.try_acquire_for(limit).ok());
    CHECK(condition_.try_acquire_for(limit).ok());
    CHECK(becomes([this] { return semaphore_.value().value() == permits && bounded_.value().value() == permits; }));
    CHECK(queue_.empty().value());
    barrier_.reset().value();
    CHECK(barrier_.n_waiting().value() == 0);

    const auto [put, lost] = witness_->ledger.sums();
    CHECK(put > 0);
    CHECK(lost <= killed[consumers]);
    const std::int64_t counted = counts_.get("all", 0).value().integer();
    CHECK(counted >= witness_->counted);
    CHECK(counted <= witness_->counted + killed[counters]);

    CHECK(manager_.objects().value() == objects_);
    CHECK(becomes([this] { return descriptors_of_server() == descriptors_; }));
  }

 private:
  static constexpr unsigned consumers = 5, counters = 8; // their places among the roles

  std::size_t descriptors_of_server() const {
    std::size_t count = 0;
    const auto folder = "/proc/" + std::to_string(manager_.pid()) + "/fd";
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
    return count;
  }

  /// In one of the three ways.
  template <class P> bool acquire(Actor& actor, const P& proxy) {
    const unsigned way = actor.turn.below(3);
    if (way == 0) {
      actor.check(proxy.acquire().ok());
      return true;
    }
    if (way == 1) {
      const auto acquired = proxy.try_acquire();
      actor.check(acquired.ok());
      return acquired.value_or(false);
    }
    const auto acquired = proxy.try_acquire_for(actor.turn.timeout());
    actor.check(acquired.ok() || acquired.error() == Errc::timed_out || acquired.error() == Errc::would_block);
    return acquired.ok();
  }
  template <class P> void be_in(Actor& actor, const P& proxy, Room& room, unsigned fiber = 0) {
    if (!acquire(actor, proxy)) return;
    room.enter(actor, fiber);
    actor.turn.delay();
    room.leave(actor, fiber);
    actor.check(proxy.release().ok());
    actor.step();
  }

  void hold(Actor& actor) {
    while (actor.goes_on()) {
      be_in(actor, lock_, witness_->lock);
      be_in(actor, condition_, witness_->condition);
      if (actor.turn.below(2) == 0) {
        be_in(actor, rlock_, witness_->rlock);
      } else if (acquire(actor, rlock_)) {
        be_in(actor, rlock_, witness_->rlock); // at once, as it is the owner's already
        actor.check(rlock_.release().ok());
      }
    }
  }

  void visit(Actor& actor) {
    rt::Group group;
    for (unsigned fiber = 0; fiber < fibers; ++fiber)
      (void)group.spawn([this, &actor, fiber] {
        while (actor.goes_on()) {
          be_in(actor, semaphore_, witness_->semaphore, fiber);
          be_in(actor, bounded_, witness_->bounded, fiber);
        }
      });
    group.join();
  }

  void give(Actor& actor) {
    while (actor.goes_on()) {
      actor.check(condition_.acquire().ok());
      actor.check(tokens_.add(1).ok());
      actor.check(condition_.notify_one().ok());
      actor.check(condition_.release().ok());
      actor.turn.delay();
      actor.step();
    }
  }

  void take(Actor& actor) {
    while (actor.goes_on()) {
      actor.check(condition_.acquire().ok());
      actor.check(condition_.wait([&] { return tokens_.get().value().integer() > 0; }).ok());
      actor.check(tokens_.add(-1).value().integer() >= 0);
      actor.check(condition_.release().ok());
      actor.step();
    }
  }

  void produce(Actor& actor) {
    while (actor.goes_on()) {
      const std::uint32_t self = witness_->ledger.begin();
      if (self == Ledger::most_producers) return;
      for (std::uint32_t item = 0; item < Ledger::items_each && actor.goes_on(); ++item) {
        if (const auto put = queue_.put({self, item}); !put) return actor.check(put.error() == Errc::closed);
        witness_->ledger.note_put(self, item + 1);
        actor.step();
      }
    }
  }

  void consume(Actor& actor) {
    for (;;) {
      const auto got = queue_.get();
      if (!got) return actor.check(got.error() == Errc::closed);
      const Value::List& item = got->list();
      actor.check(witness_->ledger.note_got(static_cast<std::uint32_t>(item[0].integer()),
                                            static_cast<std::uint32_t>(item[1].integer())));
      actor.check(queue_.task_done().ok());
      actor.step();
    }
  }

  void meet(Actor& actor) {
    while (actor.goes_on()) {
      const auto met = barrier_.wait_for(1s);
      if (met)
        actor.check(*met < 2);
      else
        actor.check(barrier_.reset().ok());
      actor.turn.delay();
      actor.step();
    }
  }

  void signal(Actor& actor) {
    while (actor.goes_on()) {
      if (actor.turn.below(2) == 0) {
        actor.check(event_.set().ok());
      } else {
        (void)event_.wait_for(actor.turn.timeout());
        actor.check(event_.clear().ok());
      }
      actor.step();
    }
  }

  void count(Actor& actor) {
    while (actor.goes_on()) {
      actor.check(counts_.add("all", 1).ok());
      ++witness_->counted;
      actor.step();
    }
  }

  // Long enough to be cut off in the middle.
  void write(Actor& actor) {
    while (actor.goes_on()) {
      actor.check(
          text_.set(std::string(actor.turn.below(300'000), static_cast<char>('a' + actor.turn.below(26)))).ok());
      const auto text = text_.get();
      actor.check(text.ok() && text->text().find_first_not_of(text->text().substr(0, 1)) == std::string_view::npos);
      actor.step();
    }
  }

  rt::Manager manager_ = [] {
    rt::Manager manager;
    manager.start().value();
    return manager;
  }();
  const rt::LockProxy lock_ = manager_.lock().value();
  const rt::RLockProxy rlock_ = manager_.rlock().value();
  const rt::ConditionProxy condition_ = manager_.condition().value();
  const rt::ValueProxy tokens_ = manager_.value(0).value();
  const rt::SemaphoreProxy semaphore_ = manager_.semaphore(permits).value();
  const rt::BoundedSemaphoreProxy bounded_ = manager_.bounded_semaphore(permits).value();
  const rt::QueueProxy queue_ = manager_.queue(capacity).value();
  const rt::BarrierProxy barrier_ = manager_.barrier(2).value();
  const rt::EventProxy event_ = manager_.event().value();
  const rt::DictProxy counts_ = manager_.dict().value();
  const rt::ValueProxy text_ = manager_.value("").value();
  std::size_t descriptors_ = 0;
  std::int64_t objects_ = 0;
  rt::Shared<Witness> witness_;
};

} // namespace

TEST_CASE("clients of a manager that are killed at any moment leave it to the others as if they had never been") {
  const Belongings before;
  {
    ManagerScene scene;
    MESSAGE(Chaos({&scene}, 2).kill_at_random(), " kills");
  }
  before.check();
}

TEST_CASE("clients of a manager whose parent is killed at any moment go on") {
  const Belongings before;
  Turn turn(0);
  unsigned rounds = 0;
  do {
    ManagerScene scene;
    Chaos({&scene}, 3).kill_parent(turn);
    ++rounds;
  } while (turn.goes_on());
  MESSAGE(rounds, " parents killed");
  before.check();
}
