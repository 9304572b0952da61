// PID 1 of an initramfs or a container: runs one command, forwards signals to it, reaps orphans, and ends the machine.
//
// In a machine: mounts, console, loopback, command, SIGTERM and SIGKILL for what is left, power-off. In a container, or
// in front of any process: the same without mounts and power-off. Nothing of it needs /proc, a writable file or a
// capability in a container.

#include "init_machine.hpp"
#include "init_options.hpp"
#include "init_supervisor.hpp"

namespace {

// The directory's own program for it.
struct Tour {
  char path[1024];
  const char* argv[3] = {path, nullptr, nullptr};

  explicit Tour(const char* directory) {
    argv[1] = directory;
    rt::Output out(std::span<char>(path, sizeof path - 1));
    rt::format_to(out, "{}/tour", directory);
    path[out.text().size()] = '\0';
  }
};

int run(const init::Settings& settings, bool machine, const char* const* environment) {
  if (*settings.command && !settings.tour) return init::Supervisor(settings).run(settings.command, environment);
  if (*settings.command) {
    rt::eprintln("init: both --tour and the command '{}' are given; see --help", *settings.command);
    return 2;
  }
  if (!settings.tour && !machine) {
    rt::eprintln("init: no command is given; see --help");
    return 2;
  }
  const Tour tour(settings.tour ? settings.tour : "/");
  return init::Supervisor(settings).run(tour.argv, environment);
}

int run_machine(const init::Settings& settings, char** environment) {
  init::prepare_machine(settings.verbose);
  return run(settings, true, init::Environment(environment).variables());
}

} // namespace

int main(int, char** argv, char** environment) {
  const bool machine = init::is_first_of_machine();
  if (machine) init::prepare_console();
  init::Settings settings;
  const auto status = init::OptionReader(argv).read(settings);
  if (!machine) return status ? *status : run(settings, false, environment);
  init::finish_machine(status ? *status : run_machine(settings, environment), settings.machine_end);
}
