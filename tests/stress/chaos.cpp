#include "chaos.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace stress {
namespace {

/// A daemon that finds its parent gone as soon as it begins ends by itself, and tells this as a shell does.
bool was_killed(int status) {
  return (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
         (WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL);
}

/// While there is one, orphans are this process's children.
class Guardian {
 public:
  Guardian() { REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0); }
  Guardian(const Guardian&) = delete;
  ~Guardian() { prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); }

  struct Ends {
    unsigned by_themselves = 0, killed = 0, others = 0;
    unsigned all() const { return by_themselves + killed + others; }
  };
  /// Waits until so many of them have ended.
  Ends wait_for(unsigned count) {
    Ends ends;
    const auto end = rt::Clock::now() + limit;
    for (int status = 0; ends.all() < count;) {
      const pid_t ended = waitpid(-1, &status, WNOHANG);
      REQUIRE(ended >= 0);
      if (ended == 0) {
        REQUIRE_MESSAGE(rt::Clock::now() < end, "a process does not end");
        rt::sleep_for(1ms);
      } else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        ++ends.by_themselves;
      } else {
        ++(was_killed(status) ? ends.killed : ends.others);
      }
    }
    return ends;
  }
};

} // namespace

Chaos::Chaos(std::vector<Scene*> scenes, unsigned of_each_role)
    : scenes_(std::move(scenes)), of_each_role_(of_each_role) {
  for (Scene* const scene : scenes_)
    for (Role& role : scene->roles()) roles_.push_back(std::move(role));
  REQUIRE(roles() <= Report::most_roles);
  REQUIRE(roles() * of_each_role <= Report::most_actors);
  std::cout.flush(); // what is left there would be written by each child again
}

std::unique_ptr<rt::Process> Chaos::start(unsigned role, unsigned place, bool daemon) {
  const unsigned number = ++started_;
  report_->living[place] = number;
  auto process = std::make_unique<rt::Process>(rt::ProcessOptions{.daemon = daemon}, [this, role, place, number] {
    Actor actor(*report_, role, place, number);
    roles_[role].play(actor);
  });
  process->start().value();
  return process;
}

void Chaos::let_end() {
  for (Scene* const scene : scenes_) scene->let_end();
}

void Chaos::check(std::span<const unsigned> killed) {
  CHECK(report_->torn == 0);
  for (Scene* const scene : scenes_) {
    const std::size_t count = scene->roles().size();
    scene->check(killed.first(count));
    killed = killed.subspan(count);
  }
}

unsigned Chaos::kill_at_random() {
  Turn turn(0);
  std::vector<std::unique_ptr<rt::Process>> running; // in each place
  for (unsigned place = 0; place < of_each_role_ * roles(); ++place) running.push_back(start(place % roles(), place));

  unsigned kills = 0;
  std::array<unsigned, Report::most_roles> killed = {};
  std::array<std::uint64_t, Report::most_roles> seen = {};
  std::array<rt::Clock::time_point, Report::most_roles> since;
  since.fill(rt::Clock::now());
  while (turn.goes_on()) {
    rt::sleep_for(std::chrono::microseconds(turn.below(3000)));
    const unsigned place = turn.below(static_cast<unsigned>(running.size())), role = place % roles();
    report_->living[place] = 0;
    CHECK(running[place]->kill().ok());
    running[place]->join();
    ++kills;
    killed[role] += running[place]->exit_code() == -SIGKILL;
    running[place] = start(role, place);
    for (unsigned i = 0; i < roles(); ++i) {
      const std::uint64_t steps = report_->steps[i];
      if (steps != seen[i]) since[i] = rt::Clock::now();
      seen[i] = steps;
      REQUIRE_MESSAGE(rt::Clock::now() - since[i] < limit, "nobody of this role gets on: ", roles_[i].name);
    }
  }

  // Now nobody is killed any more, and all come to an end by themselves.
  stop();
  let_end();
  for (unsigned place = 0; place < running.size(); ++place) {
    INFO("a process of this role: ", roles_[place % roles()].name);
    const bool ended = running[place]->join_for(limit).ok();
    CHECK(ended);
    if (!ended) (void)running[place]->kill();
  }
  running.clear();
  check(killed);
  return kills;
}

void Chaos::be_their_parent() {
  std::vector<std::unique_ptr<rt::Process>> running;
  for (unsigned place = 0; place < of_each_role_ * roles(); ++place)
    running.push_back(start(place % roles(), place, place < roles()));
  rt::Process last([this] {
    while (!report_->stop) rt::sleep_for(1ms);
    let_end();
  });
  last.start().value();
  report_->begun = true;
  for (;;) rt::sleep_for(1s);
}

/// Whether all have been started and each of the roles does something from now on.
bool Chaos::all_go_on() const {
  std::array<std::uint64_t, Report::most_roles> before;
  for (unsigned role = 0; role < roles(); ++role) before[role] = report_->steps[role];
  const auto end = rt::Clock::now() + limit;
  for (unsigned role = 0; role < roles() && rt::Clock::now() < end;)
    if (!report_->begun || report_->steps[role] < before[role] + 10)
      rt::sleep_for(1ms);
    else
      ++role;
  return rt::Clock::now() < end;
}

void Chaos::kill_parent(Turn& turn) {
  Guardian guardian;
  rt::Process parent([this] { be_their_parent(); });
  parent.start().value();
  CHECK(all_go_on());
  rt::sleep_for(std::chrono::microseconds(turn.below(5000)));
  for (unsigned place = 0; place < roles(); ++place) report_->living[place] = 0; // the daemons
  CHECK(parent.kill().ok());
  parent.join();
  CHECK(all_go_on());
  stop();
  const unsigned others = (of_each_role_ - 1) * roles() + 1;
  const Guardian::Ends ends = guardian.wait_for(roles() + others);
  CHECK(ends.by_themselves == others);
  CHECK(ends.killed == roles());
  CHECK(ends.others == 0);
  check(std::vector<unsigned>(roles(), 1));
}

std::size_t Belongings::open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

std::size_t Belongings::shared_mappings() {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find(" rw-s ") != line.npos;
  return count;
}

void Belongings::check() const {
  CHECK(open_descriptors() == descriptors_);
  CHECK(shared_mappings() == mappings_);
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

} // namespace stress
