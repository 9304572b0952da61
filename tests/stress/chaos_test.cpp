// Processes that are killed at random moments while they put, get, hold locks, wait and meet. Nobody else may hang, see
// half of anything, or lose what was not in the hands of one that was killed.

#include "turn.hpp"

#include <rt/process/process.hpp>
#include <rt/process/shared.hpp>
#include <rt/process/shared_queue.hpp>
#include <rt/sync/event.hpp>
#include <rt/sync/rlock.hpp>
#include <rt/sync/semaphore.hpp>
#include <rt/sync/shared_barrier.hpp>
#include <rt/sync/shared_bounded_semaphore.hpp>
#include <rt/sync/shared_condition.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>

using namespace stress;
using rt::Errc;

namespace {

constexpr unsigned kinds = 8, places = 4, most_producers = 8192, items_each = 512;

/// One bit for each item that any producer can ever put.
struct Ledger {
  std::atomic<std::uint64_t> got[most_producers][items_each / 64] = {};
  std::atomic<std::uint32_t> put[most_producers] = {}; // that put() has returned for

  /// False: it was marked already.
  bool mark(std::uint32_t producer, std::uint32_t item) {
    const std::uint64_t bit = std::uint64_t{1} << item % 64;
    return !(got[producer][item / 64].fetch_or(bit) & bit);
  }
  bool marked(std::uint32_t producer, std::uint32_t item) const {
    return got[producer][item / 64].load() >> item % 64 & 1;
  }
};

/// What the test knows of the processes.
struct Report {
  std::atomic<bool> begun = false; // all have been started
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> steps[kinds] = {}; // of each kind of process
  std::atomic<std::uint32_t> torn = 0;          // something half done was seen
  std::atomic<std::uint32_t> producers = 0;
  Ledger ledger;

  /// Puts that have returned and whose items nobody has got, of all that have returned.
  std::pair<unsigned, unsigned> lost() const {
    unsigned lost = 0, all = 0;
    for (std::uint32_t self = 0; self < std::min<std::uint32_t>(producers, most_producers); ++self)
      for (std::uint32_t item = 0; item < ledger.put[self]; ++item, ++all) lost += !ledger.marked(self, item);
    return {lost, all};
  }
};

/// What the processes share.
struct Common {
  rt::SharedRLock lock;
  long first = 0, second = 0; // equal when the lock is free

  rt::SharedBoundedSemaphore room{places};
  rt::SharedSemaphore signals{0};
  rt::SharedEvent event;
  rt::SharedBarrier barrier{2};

  rt::SharedLock monitor;
  rt::SharedCondition condition;
  long tokens = 0;
};

class Chaos {
 public:
  explicit Chaos(rt::Shared<Report>& report) : report_(report) {}

  /// Kills one after the other, and then looks at what they have left.
  void run();
  /// Starts some of each kind, daemons among them, and ends them when it is told to stop.
  void be_their_parent();

 private:
  void act(unsigned kind, unsigned number);
  void produce(Turn& turn);
  void consume(Turn& turn);
  void hold(Turn& turn);
  void visit(Turn& turn);
  void meet(Turn& turn);
  void give(Turn& turn);
  void take(Turn& turn);
  void signal(Turn& turn);

  bool goes_on() const { return !report_->stop; }
  void step(unsigned kind) { ++report_->steps[kind]; }
  void check(bool condition) {
    if (!condition) ++report_->torn;
  }
  std::unique_ptr<rt::Process> start(unsigned kind, bool daemon = false) {
    auto process = std::make_unique<rt::Process>(rt::ProcessOptions{.daemon = daemon},
                                                 [this, kind, number = ++started_] { act(kind, number); });
    process->start().value();
    return process;
  }
  void let_end();

  rt::Shared<Report>& report_;
  rt::Shared<Common> common_;
  rt::SharedQueue<std::string> queue_{64, 4096};
  unsigned started_ = 0;
};

void Chaos::act(unsigned kind, unsigned number) {
  static constexpr std::array<void (Chaos::*)(Turn&), kinds> roles = {&Chaos::produce, &Chaos::consume, &Chaos::hold,
                                                                      &Chaos::visit,   &Chaos::meet,    &Chaos::give,
                                                                      &Chaos::take,    &Chaos::signal};
  Turn turn(1000 + number);
  (this->*roles[kind])(turn);
}

// A message is its producer, its number, and bytes that follow from both, of a length that follows as well.
std::string message(std::uint32_t producer, std::uint32_t item) {
  std::string text(8 + (producer * 31 + item * 7) % 300, static_cast<char>(producer + item));
  std::memcpy(text.data(), &producer, 4);
  std::memcpy(text.data() + 4, &item, 4);
  return text;
}

void Chaos::produce(Turn&) {
  while (goes_on()) {
    const std::uint32_t self = report_->producers++;
    if (self >= most_producers) return;
    for (std::uint32_t item = 0; item < items_each && goes_on(); ++item) {
      if (!queue_.put(message(self, item))) return;
      report_->ledger.put[self] = item + 1;
      step(0);
    }
  }
}

void Chaos::consume(Turn&) {
  for (;;) {
    const auto got = queue_.get();
    if (!got) return check(got.error() == Errc::closed);
    std::uint32_t producer = most_producers, item = items_each;
    if (got->size() >= 8) {
      std::memcpy(&producer, got->data(), 4);
      std::memcpy(&item, got->data() + 4, 4);
    }
    const bool whole = producer < most_producers && item < items_each && *got == message(producer, item);
    check(whole && report_->ledger.mark(producer, item));
    check(queue_.task_done().ok());
    step(1);
  }
}

void Chaos::hold(Turn& turn) {
  while (goes_on()) {
    const bool patient = turn.below(2) == 0;
    const auto taken = patient ? common_->lock.lock() : common_->lock.try_lock_for(turn.timeout());
    if (taken.error() == Errc::timed_out) continue;
    const std::unique_lock guard(common_->lock, std::adopt_lock);
    check(taken.ok() || taken.error() == Errc::owner_died);
    if (!taken) common_->second = common_->first;
    check(common_->first == common_->second);
    ++common_->first;
    turn.delay();
    ++common_->second;
    step(2);
  }
}

void Chaos::visit(Turn& turn) {
  while (goes_on()) {
    const auto entered = turn.below(2) == 0 ? common_->room.acquire() : common_->room.try_acquire_for(turn.timeout());
    if (entered.error() == Errc::timed_out) continue;
    check(entered.ok() || entered.error() == Errc::owner_died);
    turn.delay();
    check(common_->room.release().ok());
    step(3);
  }
}

void Chaos::meet(Turn& turn) {
  while (goes_on()) {
    const auto met = common_->barrier.wait_for(1s);
    if (met)
      check(*met < 2);
    else
      common_->barrier.reset();
    turn.delay();
    step(4);
  }
}

void Chaos::give(Turn& turn) {
  while (goes_on()) {
    {
      const std::lock_guard guard(common_->monitor);
      ++common_->tokens;
      common_->condition.notify_one();
    }
    turn.delay();
    step(5);
  }
}

void Chaos::take(Turn&) {
  while (goes_on()) {
    std::unique_lock guard(common_->monitor);
    common_->condition.wait(guard, [&] { return common_->tokens > 0; });
    --common_->tokens;
    step(6);
  }
}

void Chaos::signal(Turn& turn) {
  while (goes_on()) {
    if (turn.below(2) == 0) {
      common_->signals.release();
      common_->event.set();
    } else {
      (void)common_->signals.try_acquire_for(turn.timeout());
      (void)common_->event.wait_for(turn.timeout());
      common_->event.clear();
    }
    step(7);
  }
}

// Those that wait for one of the others find that nobody will come any more.
void Chaos::let_end() {
  queue_.shutdown();
  const std::lock_guard guard(common_->monitor);
  common_->tokens += 1000;
  common_->condition.notify_all();
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

std::size_t shared_mappings() {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find(" rw-s ") != line.npos;
  return count;
}

void Chaos::run() {
  Turn turn(0);
  std::vector<std::pair<unsigned, std::unique_ptr<rt::Process>>> running;
  for (unsigned kind = 0; kind < kinds; ++kind)
    for (int i = 0; i < 2; ++i) running.emplace_back(kind, start(kind));

  unsigned killed_consumers = 0, kills = 0;
  std::array<std::uint64_t, kinds> seen = {};
  std::array<rt::Clock::time_point, kinds> since;
  since.fill(rt::Clock::now());
  while (turn.goes_on()) {
    rt::sleep_for(std::chrono::microseconds(turn.below(3000)));
    auto& [kind, victim] = running[turn.below(static_cast<unsigned>(running.size()))];
    CHECK(victim->kill().ok());
    victim->join();
    ++kills;
    killed_consumers += kind == 1 && victim->exit_code() == -SIGKILL;
    victim = start(kind);
    for (unsigned i = 0; i < kinds; ++i) {
      const std::uint64_t steps = report_->steps[i];
      if (steps != seen[i]) since[i] = rt::Clock::now();
      seen[i] = steps;
      REQUIRE_MESSAGE(rt::Clock::now() - since[i] < limit, "processes of kind ", i, " stand still");
    }
  }

  // Now nobody is killed any more, and all come to an end by themselves.
  report_->stop = true;
  for (auto& [kind, process] : running)
    if (kind == 0) CHECK(process->join_for(limit).ok());
  (void)queue_.join_for(limit);
  let_end();
  for (auto& [kind, process] : running) {
    INFO("kind ", kind);
    const bool ended = process->join_for(limit).ok();
    CHECK(ended);
    if (!ended) (void)process->kill();
  }
  running.clear();

  CHECK(report_->torn == 0);
  CHECK(queue_.empty());
  CHECK(queue_.join_for(limit).error() != Errc::timed_out);
  CHECK(common_->room.try_acquire());
  CHECK(common_->room.release().ok());
  CHECK(common_->room.value() == places);
  CHECK(common_->lock.try_lock());
  common_->lock.unlock();
  const auto [lost, put] = report_->lost();
  MESSAGE(kills, " kills, ", put, " items put, ", lost, " lost with ", killed_consumers, " consumers");
  CHECK(lost <= killed_consumers);
}

constexpr unsigned of_each_kind = 3; // one of them a daemon

void Chaos::be_their_parent() {
  std::vector<std::unique_ptr<rt::Process>> running;
  for (unsigned i = 0; i < of_each_kind; ++i)
    for (unsigned kind = 0; kind < kinds; ++kind) running.push_back(start(kind, i == 0));
  rt::Process last([this] {
    while (goes_on()) rt::sleep_for(1ms);
    let_end();
  });
  last.start().value();
  report_->begun = true;
  for (;;) rt::sleep_for(1s);
}

/// While there is one, orphans are this process's children.
class Guardian {
 public:
  Guardian() { REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0); }
  Guardian(const Guardian&) = delete;
  ~Guardian() { prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); }

  struct Ends {
    unsigned by_themselves = 0, killed = 0, others = 0;
  };
  /// Waits until there are no more of them.
  Ends wait_for_all() {
    Ends ends;
    const auto end = rt::Clock::now() + limit;
    for (int status = 0;;) {
      const pid_t ended = waitpid(-1, &status, WNOHANG);
      if (ended < 0) return ends;
      if (ended == 0) {
        REQUIRE_MESSAGE(rt::Clock::now() < end, "a process does not end");
        rt::sleep_for(1ms);
      } else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        ++ends.by_themselves;
      } else {
        ++(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? ends.killed : ends.others);
      }
    }
  }
};

/// Whether all have been started and each of the kinds does something from now on.
bool all_go_on(const Report& report) {
  std::array<std::uint64_t, kinds> before;
  for (unsigned kind = 0; kind < kinds; ++kind) before[kind] = report.steps[kind];
  const auto end = rt::Clock::now() + limit;
  for (unsigned kind = 0; kind < kinds && rt::Clock::now() < end;)
    if (!report.begun || report.steps[kind] < before[kind] + 10)
      rt::sleep_for(1ms);
    else
      ++kind;
  return rt::Clock::now() < end;
}

} // namespace

TEST_CASE("processes whose parent is killed at any moment go on with what they share, and leave nothing behind") {
  const std::size_t descriptors = open_descriptors(), mappings = shared_mappings();
  Turn turn(0);
  unsigned rounds = 0;
  {
    Guardian guardian;
    do {
      rt::Shared<Report> report;
      rt::Process parent([&] { Chaos(report).be_their_parent(); });
      parent.start().value();
      CHECK(all_go_on(*report));
      rt::sleep_for(std::chrono::microseconds(turn.below(5000)));
      CHECK(parent.kill().ok());
      parent.join();
      CHECK(all_go_on(*report));
      report->stop = true;
      const Guardian::Ends ends = guardian.wait_for_all();
      CHECK(ends.by_themselves == kinds * (of_each_kind - 1) + 1);
      CHECK(ends.killed == kinds);
      CHECK(ends.others == 0);
      CHECK(report->torn == 0);
      CHECK(report->lost().first <= 1); // with the consumer that was a daemon
      ++rounds;
    } while (turn.goes_on());
  }
  MESSAGE(rounds, " parents killed");
  CHECK(open_descriptors() == descriptors);
  CHECK(shared_mappings() == mappings);
}

TEST_CASE("processes that are killed at any moment leave the others what they share, and nothing else behind") {
  const std::size_t descriptors = open_descriptors(), mappings = shared_mappings();
  {
    rt::Shared<Report> report;
    Chaos(report).run();
  }
  CHECK(open_descriptors() == descriptors);
  CHECK(shared_mappings() == mappings);
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}
