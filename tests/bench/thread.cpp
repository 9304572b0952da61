// Starting a thread and joining it: rt::Thread against clone(2) with a cached stack and nothing else, and against
// glibc's threads. The first two are measured by a program of the bare profile, tests/bench/bare/thread.cpp.

#include "measure.hpp"

#include <cstdlib>
#include <pthread.h>

namespace {

constexpr int count = 400; // short turns: a noisy machine changes its speed for longer than one

double by_program(const std::string& program, const char* kind) {
  const std::string command = program + " " + kind + " " + std::to_string(count);
  FILE* output = popen(command.c_str(), "r");
  double nanoseconds = 0;
  if (!output || std::fscanf(output, "%lf", &nanoseconds) != 1 || pclose(output) != 0) {
    std::fprintf(stderr, "thread: `%s` failed\n", command.c_str());
    std::exit(1);
  }
  return nanoseconds / 1000;
}

// In a process of its own too, so that all three begin alike.
int measure_glibc(int threads) {
  const double begin = bench::seconds();
  for (int i = 0; i < threads; ++i) {
    pthread_t thread;
    if (pthread_create(
            &thread, nullptr, [](void* argument) { return argument; }, nullptr) != 0)
      return 1;
    pthread_join(thread, nullptr);
  }
  std::printf("%f\n", (bench::seconds() - begin) / threads * 1e9);
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 2) return measure_glibc(std::atoi(argv[2]));
  const std::string own = argv[0], suffix = "/hosted/tests/bench/thread";
  std::string program = own;
  program.replace(program.rfind(suffix), suffix.size(), "/bare/tests/bench/bare/thread");
  for (const bool one_cpu : {false, true}) {
    if (one_cpu) bench::pin_to_cpu(0);
    bench::compare(one_cpu ? "thread start and join on one CPU" : "thread start and join on any CPU", "us",
                   {{"clone(2), cached stack", [&] { return by_program(program, "clone"); }},
                    {"rt::Thread", [&] { return by_program(program, "rt"); }},
                    {"glibc pthread", [&] { return by_program(own, "glibc"); }}},
                   101);
  }
}
