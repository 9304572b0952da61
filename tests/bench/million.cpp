// A million fibers asleep at once, each on a guarded stack of its own: memory, mappings, and how long it takes to begin
// them, and to wake and join them all. The number of fibers is the argument.

#include "measure.hpp"

#include <rt/hub/fiber.hpp>

#include <cstdlib>
#include <fstream>

namespace {

// A line of /proc/self/status, in bytes.
double status(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.compare(0, name.size() + 1, name + ":") == 0) return std::atof(line.c_str() + name.size() + 1) * 1024;
  std::fprintf(stderr, "/proc/self/status does not have %s\n", name.c_str());
  std::exit(1);
}

long mappings() {
  std::ifstream file("/proc/self/maps");
  long count = 0;
  for (std::string line; std::getline(file, line);) ++count;
  return count;
}

void report(const char* what, double value, const char* unit, double limit) {
  std::printf("  %-34s %10.3f %s", what, value, unit);
  if (limit != 0) std::printf("; limit %g: %s", limit, value <= limit ? "kept" : "missed");
  std::printf("\n");
}

long asleep = 0, woken = 0;

} // namespace

int main(int argc, char** argv) {
  const long count = argc > 1 ? std::atol(argv[1]) : 1'000'000;
  if (count < 1) {
    std::fprintf(stderr, "usage: million [FIBERS]\n");
    return 2;
  }
  bench::pin_to_cpu(0);
  rt::spawn([] {}).join(); // the hub is there
  const double resident = status("VmRSS"), page_tables = status("VmPTE");

  // The deadlines, in an order that no heap is given for free, fill a tenth of a second, when all have fallen asleep.
  const auto wake_at = rt::Clock::now().time_since_epoch().count() + 20'000 * count;
  const double begin = bench::seconds();
  std::vector<rt::Fiber<void>> fibers;
  fibers.reserve(static_cast<std::size_t>(count));
  for (long i = 0; i < count; ++i) {
    const auto deadline = rt::Deadline::at(wake_at + i * 7919 % count * 100);
    rt::Result<rt::Fiber<void>> fiber = rt::try_spawn({}, [deadline] {
      ++asleep;
      rt::sleep_until(deadline);
      ++woken;
    });
    if (!fiber) {
      const std::string reason(fiber.error().message());
      std::fprintf(stderr, "%ld fibers are alive, and another one cannot be: %s\n", i, reason.c_str());
      return 1;
    }
    fibers.push_back(std::move(fiber).value());
  }
  const double spawned = bench::seconds();
  rt::yield(); // each of them begins, and falls asleep
  const double sleeping = bench::seconds();
  if (asleep != count || woken != 0) {
    std::fprintf(stderr, "%ld fibers have begun and %ld were woken already: this machine is too slow\n", asleep, woken);
    return 1;
  }
  const double resident_each = (status("VmRSS") - resident) / static_cast<double>(count);
  const double tables_each = (status("VmPTE") - page_tables) / static_cast<double>(count);
  const long maps = mappings();
  rt::sleep_until(rt::Deadline::at(wake_at));
  const double waking = bench::seconds();
  for (auto& fiber : fibers) fiber.join();
  const double joined = bench::seconds();

  std::printf("%ld fibers asleep at once\n", count);
  report("resident, each", resident_each, "bytes", 0);
  report("page tables, each", tables_each, "bytes", 0);
  report("both", resident_each + tables_each, "bytes", 4.4 * 1024);
  report("mappings of the process", static_cast<double>(maps), "", 999);
  report("to spawn, each", (spawned - begin) / static_cast<double>(count) * 1e9, "ns", 0);
  report("to begin and fall asleep, each", (sleeping - spawned) / static_cast<double>(count) * 1e9, "ns", 0);
  report("from the first deadline to the last join", joined - waking, "s", 0);
  return woken == count ? 0 : 1;
}
