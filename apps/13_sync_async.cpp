// Synchronous and asynchronous: whoever waits for one thing after the other waits for the sum, whoever asks for all at
// once waits for the slowest.
//
// Breakfast is three waits. First the cook stands beside each until it is over; then each has a fiber of its own, and
// the cook, in one and the same thread, waits for all three.

#include "options.hpp"

#include <rt/hub/fiber.hpp>

using namespace std::chrono_literals;

namespace {

struct Wait {
  std::string_view name;
  std::chrono::milliseconds time;
};
constexpr Wait breakfast[] = {{"eggs", 1000ms}, {"tea", 600ms}, {"toast", 400ms}};

void prepare(const Wait& wait) {
  rt::println("  {}: begins", wait.name);
  apps::pause(wait.time);
  rt::println("  {}: ready", wait.name);
}

void one_after_the_other() {
  for (const Wait& wait : breakfast) prepare(wait);
}

void all_at_once() {
  rt::Fiber<void> fibers[std::size(breakfast)];
  for (std::size_t i = 0; i < std::size(breakfast); ++i)
    fibers[i] = rt::spawn({.name = breakfast[i].name}, prepare, breakfast[i]);
  rt::joinall(fibers).value();
}

void measure(std::string_view how, void (*wait)()) {
  rt::println("{}:", how);
  const auto begin = rt::Clock::now();
  wait();
  rt::println("{}: {}", how, std::chrono::duration_cast<std::chrono::milliseconds>(rt::Clock::now() - begin));
}

} // namespace

int main(int argc, char** argv) {
  apps::Options options(argc, argv, "Synchronous and asynchronous: three waits one after the other, and all at once.");
  if (const auto status = options.finish()) return *status;
  measure("synchronous, one after the other", one_after_the_other);
  measure("asynchronous, all at once", all_at_once);
  rt::println("end");
  return 0;
}
