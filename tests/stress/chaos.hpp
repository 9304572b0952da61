#pragma once
// Chaos: processes that are killed at random moments while they use what they have in common. Nobody else may hang, see
// half of anything, or lose what was not in the hands of one that was killed.
//
// What they have in common is a scene, which has some roles; each process plays one of them until it is killed or told
// to stop.

#include "turn.hpp"

#include <rt/process/process.hpp>
#include <rt/process/shared.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace stress {

/// What the processes tell the test, and the test tells them.
struct Report {
  static constexpr unsigned most_roles = 16, most_actors = 64;

  std::atomic<bool> begun = false; // all have been started
  std::atomic<bool> stop = false;
  std::atomic<std::uint32_t> torn = 0;               // something half done was seen
  std::atomic<std::uint64_t> steps[most_roles] = {}; // of each role
  std::atomic<unsigned> living[most_actors] = {};    // in each place the number of its process; 0: it is being killed
};

/// One process's part.
class Actor {
 public:
  Actor(Report& report, unsigned role, unsigned place, unsigned number)
      : turn(1000 + number), place(place), number(number), report_(report), role_(role) {}

  bool goes_on() const { return !report_.stop; }
  void step() { ++report_.steps[role_]; }
  void check(bool condition) {
    if (!condition) ++report_.torn;
  }
  /// Whether that process is in that place, and is not being killed.
  bool lives(unsigned other_place, unsigned other_number) const { return report_.living[other_place] == other_number; }

  Turn turn;
  const unsigned place, number; // no other living one has the place, and no other one at all the number

 private:
  Report& report_;
  const unsigned role_;
};

struct Role {
  const char* name;
  std::function<void(Actor&)> play;
};

class Scene {
 public:
  virtual ~Scene() = default;
  virtual std::vector<Role> roles() = 0;
  /// All have been told to stop: lets those go that wait for others.
  virtual void let_end() = 0;
  /// What has to be true when all have ended, and so many were killed of each role.
  virtual void check(std::span<const unsigned> killed) = 0;
};
/// All locks of shared memory; a queue in shared memory.
std::unique_ptr<Scene> make_locks_scene(), make_queue_scene();

class Chaos {
 public:
  /// So many processes in each role.
  Chaos(std::vector<Scene*> scenes, unsigned of_each_role);

  /// Kills one process after the other until the time is over, and then looks at what they have left. Returns how many.
  unsigned kill_at_random();
  /// Lets a process start them all, one of each role as a daemon, and kills it at a random moment.
  void kill_parent(Turn& turn);

 private:
  std::unique_ptr<rt::Process> start(unsigned role, unsigned place, bool daemon = false);
  void be_their_parent();
  bool all_go_on() const;
  void stop() { report_->stop = true; }
  void let_end();
  void check(std::span<const unsigned> killed);
  unsigned roles() const { return static_cast<unsigned>(roles_.size()); }

  const std::vector<Scene*> scenes_;
  std::vector<Role> roles_;
  const unsigned of_each_role_;
  rt::Shared<Report> report_;
  unsigned started_ = 0;
};

/// What this process has, to be compared with what it has later.
class Belongings {
 public:
  /// Descriptors, shared mappings and children are what they were.
  void check() const;

 private:
  static std::size_t open_descriptors();
  static std::size_t shared_mappings();

  std::size_t descriptors_ = open_descriptors(), mappings_ = shared_mappings();
};

} // namespace stress
