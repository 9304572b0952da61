#include "choice.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace model {
namespace {

constexpr Limits no_limits{~0u, ~0u, 12, 12, ~0u}; // but few enough that each execution ends
constexpr unsigned most_priorities = 8;

} // namespace

void Chooser::explore_all(const Limits& limits) {
  way_ = Way::all;
  limits_ = limits;
  choices_.clear();
}

void Chooser::explore_at_random(std::uint64_t seed) {
  way_ = Way::random;
  limits_ = no_limits;
  state_ = seed;
  choices_.clear();
}

bool Chooser::replay(std::string_view trace) {
  way_ = Way::replay;
  choices_.clear();
  const char* at = trace.data();
  const char* end = at + trace.size();
  const auto number = [&](unsigned& value) {
    const auto [next, error] = std::from_chars(at, end, value);
    at = next;
    return error == std::errc();
  };
  const auto character = [&](char wanted) { return at != end && *at++ == wanted; };
  if (!number(limits_.preemptions) || !character('.') || !number(limits_.stale_reads) || !character('.') ||
      !number(limits_.timeouts) || !character('.') || !number(limits_.surprises) || !character('.') ||
      !number(limits_.together))
    return false;
  while (at != end) {
    unsigned position, picked;
    if (!character(',') || !number(position) || !character('=') || !number(picked)) return false;
    if (choices_.size() <= position) choices_.resize(position + 1);
    choices_[position].picked = picked;
  }
  return true;
}

void Chooser::begin() {
  next_ = 0;
  if (way_ != Way::random) return;
  choices_.clear();
  one_in_ = 2u << random_below(5);
  by_priority_ = random_below(2) == 0;
  priority_.resize(most_priorities);
  for (auto& priority : priority_) priority = 1000 + random_below(1000);
}

bool Chooser::advance() {
  if (way_ == Way::random) return true;
  if (way_ == Way::replay) return false;
  while (!choices_.empty() && choices_.back().picked + 1 == choices_.back().count) choices_.pop_back();
  if (choices_.empty()) return false;
  ++choices_.back().picked;
  return true;
}

unsigned Chooser::choose(unsigned n) {
  if (n == 1) return 0;
  if (way_ == Way::random) {
    const unsigned picked = random_below(one_in_) == 0 ? random_below(n) : 0;
    choices_.push_back({picked, n});
    return picked;
  }
  if (next_ == choices_.size()) choices_.push_back({0, n});
  Choice& choice = choices_[next_++];
  if (way_ == Way::replay) choice.count = n;
  if (choice.count != n || choice.picked >= n) {
    std::printf("choice %zu had %u possibilities before and has %u now: the scenario does not behave the same again\n",
                next_ - 1, choice.count, n);
    std::fflush(stdout);
    std::abort();
  }
  return choice.picked;
}

// By priority: always the task with the highest runs; at a few random moments the one that runs falls below all
// others (S. Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs").
unsigned Chooser::choose_task(const unsigned* tasks, unsigned n, bool running) {
  if (n == 1) return 0;
  if (way_ != Way::random || !by_priority_) return way_ == Way::random && !running ? choose_evenly(n) : choose(n);
  if (running && random_below(16 * one_in_) == 0) priority_[tasks[0]] = random_below(1000);
  unsigned best = 0;
  for (unsigned i = 1; i < n; ++i)
    if (priority_[tasks[i]] > priority_[tasks[best]]) best = i;
  choices_.push_back({best, n});
  return best;
}

unsigned Chooser::choose_evenly(unsigned n) {
  const unsigned picked = random_below(n);
  choices_.push_back({picked, n});
  return picked;
}

std::string Chooser::trace() const {
  std::string text = std::to_string(limits_.preemptions) + '.' + std::to_string(limits_.stale_reads) + '.' +
                     std::to_string(limits_.timeouts) + '.' + std::to_string(limits_.surprises) + '.' +
                     std::to_string(limits_.together);
  for (std::size_t i = 0; i < choices_.size(); ++i)
    if (choices_[i].picked != 0) text += ',' + std::to_string(i) + '=' + std::to_string(choices_[i].picked);
  return text;
}

// splitmix64 (G. Steele, D. Lea, C. Flood).
unsigned Chooser::random_below(unsigned n) {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t x = state_;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return static_cast<unsigned>((x ^ (x >> 31)) % n);
}

} // namespace model
