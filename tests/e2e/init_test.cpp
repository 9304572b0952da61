// init as PID 1 of a container and as a supervisor in front of a process.

#include "container.hpp"

#include <sys/ioctl.h>

namespace {

using namespace std::chrono_literals;

std::string family() {
  const char* const build = std::getenv("RT_BUILD");
  return std::filesystem::absolute(std::filesystem::path(build ? build : "build") / "bare/tests/e2e/programs/family");
}

std::string init() { return e2e::app("init.stripped"); }

const e2e::Container& container() {
  static const e2e::Container one({init(), family()});
  return one;
}

/// As PID 1: for root with all that the machine's root may, then for a user with nothing.
template <class Check> void in_both_containers(const std::vector<std::string>& arguments, Check check) {
  for (const bool as_user : {false, true}) {
    CAPTURE(as_user);
    if (!as_user && geteuid() != 0) continue; // there are no other containers than the user's own
    const auto ending = container().run("/init.stripped", arguments, as_user);
    INFO("standard output: ", ending.out, "\nstandard error: ", ending.err);
    check(ending);
  }
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++found;
  return found;
}

/// A terminal, and the program that has it as its session's, in the foreground. The test types on it.
class Terminal {
 public:
  Terminal() {
    if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0) throw std::runtime_error("posix_openpt");
    path_ = ptsname(master_);
  }
  ~Terminal() { close(master_); }
  Terminal(const Terminal&) = delete;

  e2e::Program start(const std::vector<std::string>& arguments, int namespaces) const {
    e2e::Setting setting;
    setting.namespaces = namespaces;
    setting.before_execution = [path = path_] {
      if (setsid() < 0) return false;
      const int terminal = open(path.c_str(), O_RDWR);
      return terminal >= 0 && ioctl(terminal, TIOCSCTTY, 0) == 0 && dup2(terminal, 0) == 0;
    };
    return e2e::Program(init(), arguments, setting);
  }
  void type(char character) const { REQUIRE(write(master_, &character, 1) == 1); }

 private:
  const int master_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  std::string path_;
};
constexpr char control_c = 3, control_z = 26;
constexpr int as_first_process = CLONE_NEWPID | CLONE_NEWUSER;

/// Waits until the program is stopped.
bool stops(const e2e::Program& program) {
  for (const auto limit = std::chrono::steady_clock::now() + 30s; std::chrono::steady_clock::now() < limit;) {
    int status = 0;
    if (waitpid(program.pid(), &status, WUNTRACED | WNOHANG) > 0) return WIFSTOPPED(status);
    usleep(1000);
  }
  return false;
}

} // namespace

TEST_CASE("as PID 1, init ends with the exit code of its command and says nothing itself") {
  for (const int code : {0, 1, 7, 126, 255})
    in_both_containers({"/family", "exit", std::to_string(code)}, [&](const e2e::Ending& ending) {
      CHECK(ending.by_exit(code));
      CHECK(ending.out == "");
      CHECK(ending.err == "");
    });
}

TEST_CASE("a command that dies of a signal gives 128 + its number") {
  for (const int signal : {SIGKILL, SIGTERM, SIGABRT, SIGUSR1})
    in_both_containers({"/family", "die", std::to_string(signal)}, [&](const e2e::Ending& ending) {
      CHECK(ending.by_exit(128 + signal));
      CHECK(ending.err == "");
    });
}

TEST_CASE("a command that is not there gives 127, one that cannot be executed 126, each with one line") {
  in_both_containers({"/no/such/file"}, [](const e2e::Ending& ending) {
    CHECK(ending.by_exit(127));
    CHECK(ending.err == "init: cannot run '/no/such/file': no such file or directory\n");
  });
  in_both_containers({"no-such-program"}, [](const e2e::Ending& ending) {
    CHECK(ending.by_exit(127));
    CHECK(ending.err == "init: cannot run 'no-such-program': no such file or directory\n");
  });
  in_both_containers({"/"}, [](const e2e::Ending& ending) {
    CHECK(ending.by_exit(126));
    CHECK(ending.err == "init: cannot run '/': permission denied\n");
  });
  const e2e::TemporaryDirectory directory;
  std::ofstream(directory.path() + "/text") << "no program\n";
  CHECK(e2e::run(init(), {"-s", directory.path() + "/text"}).by_exit(126));
  std::filesystem::permissions(directory.path() + "/text", std::filesystem::perms(0755));
  const auto ending = e2e::run(init(), {"-s", directory.path() + "/text"});
  CHECK(ending.by_exit(126));
  CHECK(e2e::contains(ending.err, "not a program"));
}

TEST_CASE("a command without a slash is looked for in PATH") {
  const auto ending = e2e::run(init(), {"-s", "sh", "-c", "exit 5"});
  CHECK(ending.by_exit(5));
  CHECK(ending.err == "");
}

TEST_CASE("wrong arguments are one line on standard error and status 2") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{}, "no command"},
      {{"--"}, "no command"},
      {{"-v"}, "no command"},
      {{"--no-such-option", "x"}, "'--no-such-option' is not an option"},
      {{"-x", "x"}, "'-x' is not an option"},
      {{"-gx", "x"}, "'-gx' is not an option"},
      {{"-T", "x"}, "'-T' is not an option"},
      {{"--group=1", "x"}, "takes no value"},
      {{"-t"}, "'-t' needs a value"},
      {{"--grace"}, "'--grace' needs a value"},
      {{"--grace", "soon", "x"}, "'soon' is not a time"},
      {{"--grace=", "x"}, "'' is not a time"},
      {{"-t1.2345", "x"}, "'1.2345' is not a time"},
      {{"-t", "-1", "x"}, "'-1' is not a time"},
      {{"-t", "1000000", "x"}, "'1000000' is not a time"},
      {{"-e", "256", "x"}, "'256' is not an exit code"},
      {{"-e", "x", "x"}, "'x' is not an exit code"},
      {{"-r", "TERM", "x"}, "'TERM' is not of the form"},
      {{"-r", "TERM:NOTHING", "x"}, "'TERM:NOTHING' does not name"},
      {{"-r", "0:TERM", "x"}, "'0:TERM' does not name"},
      {{"-r", "65:TERM", "x"}, "'65:TERM' does not name"},
      {{"-p", "SIGNAL", "x"}, "'SIGNAL' is not a signal"},
      {{"--tour", "/", "x"}, "both --tour and the command 'x'"},
  };
  for (const auto& [arguments, message] : wrong) {
    const auto ending = e2e::run(init(), arguments);
    CAPTURE(message);
    CAPTURE(ending.err);
    CHECK(ending.by_exit(2));
    CHECK(ending.out == "");
    CHECK(ending.err.starts_with("init: "));
    CHECK(e2e::contains(ending.err, message));
    CHECK(count(ending.err, "\n") == 1);
  }
}

TEST_CASE("--help lists the options on standard output") {
  for (const std::string option : {"--help", "-h", "-vh"}) {
    const auto ending = e2e::run(init(), {option});
    CHECK(ending.by_exit(0));
    CHECK(ending.err == "");
    for (const std::string name : {"--group", "--rewrite", "--expect", "--grace", "--subreaper", "--parent-end",
                                   "--verbose", "--tour", "--restart", "--halt", "--help"})
      CHECK(e2e::contains(ending.out, name));
  }
}

TEST_CASE("options end at the command or at --, and the command gets all that follows") {
  CHECK(e2e::run(init(), {"-s", "echo", "-v", "--", "x"}).out == "-v -- x\n");
  CHECK(e2e::run(init(), {"-s", "--", "sh", "-c", "echo $0", "--help"}).out == "--help\n");
}

TEST_CASE("1000 orphans are reaped while the command runs, and no zombie is left") {
  in_both_containers({"-v", "/family", "orphans", "1000"}, [](const e2e::Ending& ending) {
    CHECK(ending.by_exit(0));
    CHECK(ending.out == "1000 orphans are gone\n");
    CHECK(e2e::contains(ending.err, "init: reaped 1000 orphans\n"));
  });
}

TEST_CASE("a subreaper reaps 1000 orphans without being PID 1") {
  const auto ending = e2e::run(init(), {"-sv", family(), "orphans", "1000"});
  CHECK(ending.by_exit(0));
  CHECK(ending.out == "1000 orphans are gone\n");
  CHECK(e2e::contains(ending.err, "init: reaped 1000 orphans\n"));
}

TEST_CASE("without --subreaper, and not as PID 1, init says that it does not reap") {
  const auto ending = e2e::run(init(), {family(), "exit", "3"});
  CHECK(ending.by_exit(3));
  CHECK(e2e::contains(ending.err, "orphans are not reaped"));
  CHECK(count(ending.err, "\n") == 1);
}

TEST_CASE("signals are forwarded to the command, SIGTERM among them") {
  for (const bool as_user : {false, true}) {
    CAPTURE(as_user);
    if (!as_user && geteuid() != 0) continue;
    auto program = container().start("/init.stripped", {"/family", "signals", "9"}, as_user);
    REQUIRE(program.read_until("command is ready\n"));
    for (const auto& [signal, name] : std::vector<std::pair<int, std::string>>{{SIGHUP, "SIGHUP"},
                                                                               {SIGINT, "SIGINT"},
                                                                               {SIGQUIT, "SIGQUIT"},
                                                                               {SIGUSR1, "SIGUSR1"},
                                                                               {SIGUSR2, "SIGUSR2"},
                                                                               {SIGPIPE, "SIGPIPE"},
                                                                               {SIGALRM, "SIGALRM"},
                                                                               {SIGWINCH, "SIGWINCH"},
                                                                               {SIGTSTP, "SIGTSTP"},
                                                                               {40, "signal 40"}}) {
      CAPTURE(name);
      program.kill(signal);
      CHECK(program.read_until("command: " + name + "\n"));
    }
    program.kill(SIGTERM);
    const auto ending = program.finish();
    CHECK(ending.by_exit(9));
    CHECK(e2e::contains(ending.out, "command: SIGTERM\n"));
    CHECK(!e2e::contains(ending.out, "SIGCHLD"));
    CHECK(ending.err == "");
  }
}

TEST_CASE("signals from inside the container reach init as well") {
  for (const auto& [number, name] : std::vector<std::pair<int, std::string>>{{SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}})
    in_both_containers({"/family", "signal-init", std::to_string(number)}, [&](const e2e::Ending& ending) {
      CHECK(ending.by_exit(0));
      CHECK(ending.out == "init sends " + name + "\n");
    });
}

TEST_CASE("--group forwards to the whole process group, otherwise only the command is meant") {
  for (const bool group : {false, true}) {
    CAPTURE(group);
    auto program = container().start("/init.stripped", {group ? "--group" : "-v", "/family", "group"}, true);
    REQUIRE(program.read_until("command is ready\n"));
    REQUIRE(program.read_until("child is ready\n"));
    program.kill(SIGUSR1);
    CHECK(program.read_until("command: SIGUSR1\n"));
    if (group) CHECK(program.read_until("child: SIGUSR1\n"));
    program.kill(SIGTERM);
    const auto ending = program.finish();
    CHECK(e2e::contains(ending.out, "command: SIGTERM\n"));
    CHECK(e2e::contains(ending.out, "child: SIGUSR1\n") == group);
    // The command kills its child, unless that has taken SIGTERM itself in time.
    if (!group) CHECK(ending.by_exit(128 + SIGKILL));
  }
}

TEST_CASE("--rewrite sends another signal, or none") {
  auto program = container().start(
      "/init.stripped",
      {"-r", "HUP:USR1", "--rewrite=SIGINT:0", "--rewrite", "15:USR2", "-rQUIT:TERM", "/family", "signals"}, true);
  REQUIRE(program.read_until("command is ready\n"));
  program.kill(SIGINT);
  program.kill(SIGHUP);
  CHECK(program.read_until("command: SIGUSR1\n"));
  program.kill(SIGTERM);
  CHECK(program.read_until("command: SIGUSR2\n"));
  program.kill(SIGQUIT);
  const auto ending = program.finish();
  CHECK(ending.by_exit(0));
  CHECK(!e2e::contains(ending.out, "SIGINT"));
}

TEST_CASE("--expect makes an exit code a success") {
  in_both_containers({"-e", "143", "--expect=7", "/family", "exit", "7"},
                     [](const e2e::Ending& ending) { CHECK(ending.by_exit(0)); });
  in_both_containers({"-e", "143", "/family", "die", "15"},
                     [](const e2e::Ending& ending) { CHECK(ending.by_exit(0)); });
  in_both_containers({"-e", "143", "/family", "exit", "7"},
                     [](const e2e::Ending& ending) { CHECK(ending.by_exit(7)); });
}

TEST_CASE("what is left when the command has ended gets SIGTERM, and init ends as soon as nobody is left") {
  in_both_containers({"-v", "--grace", "50", "/family", "leave-obedient", "6"}, [](const e2e::Ending& ending) {
    CHECK(ending.by_exit(6));
    CHECK(ending.seconds < 40);
    CHECK(e2e::contains(ending.out, "child: SIGTERM\n"));
    CHECK(e2e::contains(ending.err, "init: reaped 1 orphan\n"));
    CHECK(!e2e::contains(ending.err, "kills"));
  });
}

TEST_CASE("what does not end by SIGTERM is killed when the grace period is over") {
  in_both_containers({"-v", "-t", "0.3", "/family", "leave-stubborn", "6"}, [](const e2e::Ending& ending) {
    CHECK(ending.by_exit(6));
    CHECK(ending.seconds >= 0.3);
    CHECK(ending.seconds < 30);
    CHECK(e2e::contains(ending.out, "child: SIGTERM\n"));
    CHECK(e2e::contains(ending.err, "init: kills what is left\ninit: reaped 1 orphan\n"));
  });
  const auto as_subreaper = e2e::run(init(), {"-sv", "-t", "0.3", family(), "leave-stubborn", "6"});
  CHECK(as_subreaper.by_exit(6));
  CHECK(as_subreaper.seconds >= 0.3);
  CHECK(e2e::contains(as_subreaper.err, "init: kills what is left\ninit: reaped 1 orphan\n"));
}

TEST_CASE("a second SIGTERM ends the grace period") {
  auto program = container().start("/init.stripped", {"-t", "1000", "/family", "leave-stubborn", "6"}, true);
  REQUIRE(program.read_until("child: SIGTERM\n"));
  program.kill(SIGTERM);
  CHECK(program.finish().by_exit(6));
}

TEST_CASE("the command leads its process group and has the signals as init was given them") {
  const auto ending = e2e::run(init(), {"-s", family(), "state"});
  CHECK(ending.out == "signals free, SIGTTOU by default\nleads its group: true\nin the foreground: false\n");
}

TEST_CASE("--tour runs the tour of a directory, and the tour's failure is init's") {
  const e2e::TemporaryDirectory directory;
  std::filesystem::copy_file(e2e::app("tour.stripped"), directory.path() + "/tour");
  std::filesystem::copy_file(e2e::app("hello.stripped"), directory.path() + "/hello");
  const auto good = e2e::run(init(), {"-s", "--tour", directory.path()});
  CHECK(good.by_exit(0));
  CHECK(good.lines().size() == 5);
  CHECK(e2e::contains(good.out, "hello                        ok "));
  std::filesystem::copy_file(family(), directory.path() + "/01_fails"); // it does not know --time-scale
  CHECK(e2e::run(init(), {"-s", "--tour=" + directory.path()}).by_exit(1));
}

TEST_CASE("where no standard file is open, the command is run nevertheless") {
  for (const std::string command : {" -- sh -c 'exit 6'", " -v -- sh -c 'exit 6'"})
    CHECK(e2e::run("/bin/sh", {"-c", "exec " + init() + " -s" + command + " <&- >&- 2>&-"}).by_exit(6));
}

TEST_CASE("--parent-end gets and forwards a signal when init's parent ends") {
  int gate[2];
  REQUIRE(pipe2(gate, 0) == 0);
  // The shell, init's parent, ends when it can read a line.
  const std::string script =
      init() + " -s -p USR1 -r USR1:TERM " + family() + " signals & read line <&" + std::to_string(gate[0]);
  e2e::Program shell("/bin/sh", {"-c", script});
  REQUIRE(shell.read_until("command is ready\n"));
  REQUIRE(write(gate[1], "\n", 1) == 1);
  const auto ending = shell.finish();
  CHECK(ending.by_exit(0));
  CHECK(e2e::contains(ending.out, "command: SIGTERM\n"));
  close(gate[0]);
  close(gate[1]);
}

TEST_CASE("a command that is stopped by job control stops init, too, and SIGCONT goes on to it") {
  e2e::Program program(init(), {"-s", family(), "wait"});
  REQUIRE(program.read_until("waits\n"));
  program.kill(SIGTSTP);
  REQUIRE(stops(program));
  program.kill(SIGCONT);
  program.kill(SIGTERM);
  CHECK(program.finish().by_exit(128 + SIGTERM));
}

TEST_CASE("as PID 1, init goes on when the command is stopped") {
  auto program = container().start("/init.stripped", {"/family", "wait"}, true);
  REQUIRE(program.read_until("waits\n"));
  program.kill(SIGTSTP);
  program.kill(SIGTERM); // stays pending in a process that is stopped
  program.kill(SIGCONT);
  CHECK(program.finish().by_exit(128 + SIGTERM));
}

TEST_CASE("the command gets the terminal that init was started in the foreground of") {
  for (const int namespaces : {0, as_first_process}) {
    CAPTURE(namespaces);
    const Terminal terminal;
    const auto ending = terminal.start({"-s", family(), "state"}, namespaces).finish();
    CHECK(ending.out == "signals free, SIGTTOU by default\nleads its group: true\nin the foreground: true\n");
  }
}

TEST_CASE("what is typed to interrupt or to stop reaches the command, and init's parent sees the stop") {
  const Terminal terminal;
  auto program = terminal.start({"-s", family(), "wait"}, 0);
  REQUIRE(program.read_until("waits\n"));
  terminal.type(control_z);
  REQUIRE(stops(program));
  program.kill(SIGCONT);
  terminal.type(control_c);
  CHECK(program.finish().by_exit(128 + SIGINT));

  const Terminal of_container;
  auto first = of_container.start({family(), "signals", "4"}, as_first_process);
  REQUIRE(first.read_until("command is ready\n"));
  of_container.type(control_c);
  CHECK(first.read_until("command: SIGINT\n"));
  first.kill(SIGTERM);
  CHECK(first.finish().by_exit(4));
}
