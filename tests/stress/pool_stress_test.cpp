// Pools whose workers are killed at random moments, and whose parent is: nothing hangs, no task is lost but those that
// were in a killed worker's hands, none runs twice, and no process, descriptor or memory is left.
//
// Each worker sets itself a timer whose signal kills it, wherever it is then.

#include "turn.hpp"

#include <rt/hub/fiber.hpp>
#include <rt/process/pool.hpp>
#include <rt/thread/thread.hpp>

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <string>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace stress;
using rt::Errc, rt::Result;

namespace {

constexpr unsigned most_tasks = 1 << 20;

/// In memory that workers share: how often each task has begun.
struct Tally {
  std::array<std::atomic<unsigned>, most_tasks> runs;
};
Tally* make_tally() {
  void* const memory = mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  return static_cast<Tally*>(memory);
}

void die_in(long microseconds) {
  std::signal(SIGALRM, SIG_DFL);
  const itimerval timer = {{0, 0}, {microseconds / 1'000'000, microseconds % 1'000'000}};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

/// Processes that are made from now on hold one end of a pipe, whose other end tells when they are all gone.
class Descendants {
 public:
  Descendants() { REQUIRE(pipe2(ends_, O_CLOEXEC) == 0); }
  Descendants(const Descendants&) = delete;
  ~Descendants() {
    close(ends_[0]);
    if (ends_[1] >= 0) close(ends_[1]);
  }
  bool all_end() {
    close(ends_[1]);
    ends_[1] = -1;
    pollfd waiting = {ends_[0], POLLIN, 0};
    return poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(limit).count())) == 1;
  }

 private:
  int ends_[2];
};

unsigned lines_of(const char* path, const char* text) {
  std::FILE* const file = std::fopen(path, "r");
  REQUIRE(file);
  unsigned count = 0;
  for (char line[4096]; std::fgets(line, sizeof line, file);)
    count += std::string(line).find(text) != std::string::npos;
  std::fclose(file);
  return count;
}
unsigned shared_mappings() { return lines_of("/proc/self/maps", "/dev/zero"); }

unsigned open_descriptors() {
  DIR* const directory = opendir("/proc/self/fd");
  REQUIRE(directory);
  unsigned count = 0;
  while (readdir(directory)) ++count;
  closedir(directory);
  return count;
}

using Answer = std::pair<unsigned, std::string>;

class Chaos {
 public:
  explicit Chaos(rt::Pool& pool, Tally* tally) : pool_(pool), tally_(tally) {}

  /// Uses the pool in all ways, by turns, until the time is over.
  void use(Turn& turn) {
    while (turn.goes_on() && next_ < most_tasks - 1000) {
      switch (turn.below(6)) {
      case 0:
      case 1: check(call(turn, small(turn)), {Errc::worker_lost}); break;
      case 2: check(call(turn, std::string(turn.below(400'000), 'x')), {Errc::worker_lost}); break;
      case 3: use_map(turn); break;
      case 4: use_stream(turn); break;
      case 5: use_async(turn); break;
      }
    }
  }

  bool right() const { return wrong_ == 0; }
  unsigned done() const { return done_; }
  unsigned lost() const { return lost_; }
  unsigned tasks() const { return next_; }

 private:
  struct Called {
    unsigned number;
    std::string text;
    Result<Answer> result;
  };

  static std::string small(Turn& turn) { return std::string(turn.below(100), 'y'); }

  auto task() const {
    return [tally = tally_](unsigned number, std::string text) {
      ++tally->runs[number];
      for (unsigned i = 0; i < number % 1000; ++i) asm volatile("");
      if (number % 64 == 0) rt::sleep_for(1ms);
      return Answer(number, std::move(text));
    };
  }

  Called call(Turn&, const std::string& text) {
    const unsigned number = next_++;
    return {number, text, pool_.apply(task(), number, text)};
  }

  void check(const Called& called, std::initializer_list<Errc> allowed) {
    const unsigned runs = tally_->runs[called.number];
    if (called.result) {
      ++done_;
      wrong_ += runs != 1 || called.result->first != called.number || called.result->second != called.text;
    } else {
      ++lost_;
      const Errc code = called.result.error().code;
      wrong_ += runs > 1 || std::find(allowed.begin(), allowed.end(), code) == allowed.end();
    }
  }

  void use_map(Turn& turn) {
    std::vector<std::pair<unsigned, std::string>> items;
    for (unsigned i = 0, count = turn.below(300); i < count; ++i) items.emplace_back(next_++, small(turn));
    const auto results = pool_.starmap(task(), items, turn.below(3));
    if (!results) {
      wrong_ += !(results.error() == Errc::worker_lost);
      return;
    }
    wrong_ += results->size() != items.size();
    for (std::size_t i = 0; i < items.size(); ++i) check({items[i].first, items[i].second, (*results)[i]}, {});
  }

  void use_stream(Turn& turn) {
    std::vector<unsigned> items;
    for (unsigned i = 0, count = turn.below(200); i < count; ++i) items.push_back(next_++);
    const auto one = [each = task()](unsigned number) { return each(number, "text"); };
    const bool ordered = turn.below(2);
    unsigned count = 0;
    for (auto& result : ordered ? pool_.imap(one, items) : pool_.imap_unordered(one, items)) {
      const unsigned number = ordered || !result ? items[count] : result->first;
      check({number, "text", result}, {Errc::worker_lost});
      ++count;
    }
    wrong_ += count != items.size();
  }

  void use_async(Turn& turn) {
    struct Pending {
      unsigned number;
      rt::AsyncResult<Answer> result;
    };
    std::vector<Pending> pending;
    const auto timeout = std::chrono::microseconds(turn.below(2) ? 0 : 200 + turn.below(3000));
    for (unsigned i = 0, count = 1 + turn.below(50); i < count; ++i) {
      const unsigned number = next_++;
      callbacks_expected_ += 1;
      const auto called = [this](const auto&) { ++callbacks_; };
      pending.push_back(
          {number, pool_.apply_async(rt::TaskOptions{.timeout = timeout}, task(), number, "async", called, called)});
    }
    for (auto& each : pending)
      if (turn.below(4) == 0) each.result.cancel();
    for (auto& each : pending)
      check({each.number, "async", each.result.get()}, {Errc::worker_lost, Errc::canceled, Errc::timed_out});
  }

  rt::Pool& pool_;
  Tally* const tally_;
  std::atomic<unsigned> next_ = 0, wrong_ = 0, done_ = 0, lost_ = 0;

 public:
  std::atomic<unsigned> callbacks_ = 0, callbacks_expected_ = 0;
};

void join(rt::Thread& thread) {
  if (!thread.join_for(limit + std::chrono::duration<double>(seconds()))) report_hang();
}

} // namespace

TEST_CASE("workers are killed at random moments, and only what they had in their hands is lost") {
  const unsigned descriptors = open_descriptors(), mappings = shared_mappings();
  Tally* const tally = make_tally();
  {
    Descendants workers;
    {
      const unsigned base = seed();
      rt::Pool pool({.workers = 2 + seed() % 5,
                     .max_tasks_per_worker = seed() % 3 ? 0u : 50u,
                     .initializer =
                         [base] {
                           std::mt19937 random(base + static_cast<unsigned>(getpid()));
                           die_in(500 + static_cast<long>(random() % 40'000));
                         },
                     .shared_memory = 8 << 20});
      Chaos chaos(pool, tally);
      std::vector<std::unique_ptr<rt::Thread>> threads;
      for (unsigned i = 0; i < 3; ++i)
        threads.push_back(std::make_unique<rt::Thread>([&chaos, i] {
          Turn turn(i);
          chaos.use(turn);
        }));
      threads.push_back(std::make_unique<rt::Thread>([&chaos] {
        std::vector<rt::Fiber<void>> fibers;
        for (unsigned i = 0; i < 4; ++i)
          fibers.push_back(rt::spawn({.stack_size = 256 << 10}, [&chaos, i] {
            Turn turn(10 + i);
            chaos.use(turn);
          }));
        rt::joinall(fibers).value();
      }));
      for (const auto& thread : threads) thread->start().value();
      for (const auto& thread : threads) join(*thread);
      pool.close();
      if (!pool.join_for(limit)) report_hang();
      CHECK(chaos.right());
      CHECK(chaos.done() > 0);
      CHECK(chaos.callbacks_ == chaos.callbacks_expected_);
      MESSAGE(chaos.tasks(), " tasks, ", chaos.done(), " done, ", chaos.lost(), " lost");
    }
    CHECK(workers.all_end());
  }
  munmap(tally, sizeof(Tally));
  CHECK(open_descriptors() == descriptors);
  CHECK(shared_mappings() == mappings);
}

TEST_CASE("the parent is killed at a random moment, and none of its workers remains, nor of theirs") {
  for (Turn turn(20); turn.goes_on();) {
    Descendants family;
    const long life = 500 + turn.below(40'000);
    const pid_t parent = fork();
    REQUIRE(parent >= 0);
    if (parent == 0) {
      rt::this_thread_task.id = rt::current_task_id = static_cast<rt::TaskId>(gettid());
      die_in(life);
      rt::Pool pool(3);
      for (;;) {
        auto inner = pool.apply_async([] {
          rt::Pool own(2);
          return own.map([](int n) { return n; }, std::vector<int>(100), 1).ok();
        });
        (void)pool.map([](int n) { return n; }, std::vector<int>(1000), 1);
        (void)inner.get();
      }
    }
    waitpid(parent, nullptr, 0);
    if (!family.all_end()) report_hang();
  }
}
