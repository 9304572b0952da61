// Programs outside the tree, built with what `make install` installs.

#include "run.hpp"

namespace {

namespace fs = std::filesystem;

constexpr char source[] = R"(
#include <rt/rt.hpp>
int main() {
  rt::Queue<int> queue(2);
  rt::Thread thread([&] { (void)queue.put(20); });
  if (!thread.start()) return 1;
  auto fiber = rt::spawn([&] { return queue.get().value() + 1; });
  rt::println("from outside: {}", fiber.join() * 2);
}
)";

std::string quoted(const std::string& text) { return "'" + text + "'"; }

// Installed below a directory that may have a space in its name, in two steps as packagers do it.
class Installed {
 public:
  explicit Installed(const std::string& stage = "stage area") : stage_(directory_.path() + "/" + stage) {
    const e2e::Ending ending = make("install");
    INFO(ending.out, ending.err);
    REQUIRE(ending.by_exit(0));
    std::ofstream(directory_.path() + "/program.cpp") << source;
  }

  std::string prefix() const { return stage_ + "/usr"; }
  std::string directory() const { return directory_.path(); }

  e2e::Ending make(const std::string& target) const {
    const char* build = std::getenv("RT_BUILD");
    return shell("MAKEFLAGS= make --no-print-directory " + target + " BUILD=" + (build ? build : "") +
                 " DESTDIR=" + quoted(stage_) + " PREFIX=/usr");
  }
  e2e::Ending shell(const std::string& command) const {
    e2e::Setting setting;
    setting.time_limit = std::chrono::seconds(120);
    return e2e::run("/bin/sh", {"-c", command}, setting);
  }

  /// Builds by the command, then runs DIRECTORY/program.
  void check(const std::string& command) const {
    const e2e::Ending built = shell("cd " + quoted(directory()) + " && " + command);
    INFO(command, "\n", built.out, built.err);
    REQUIRE(built.by_exit(0));
    const e2e::Ending ran = e2e::run(directory() + "/program");
    CHECK(ran.by_exit(0));
    CHECK(ran.out == "from outside: 42\n");
    CHECK_FALSE(e2e::contains(shell("readelf -lW " + quoted(directory() + "/program")).out, "INTERP"));
    fs::remove(directory() + "/program");
  }

 private:
  e2e::TemporaryDirectory directory_;
  const std::string stage_;
};

} // namespace

TEST_CASE("a program is built with the installed compiler wrapper") {
  const Installed installed;
  const std::string wrapper = quoted(installed.prefix() + "/bin/rt-c++");
  SUBCASE("in one step") { installed.check(wrapper + " -O2 program.cpp -o program"); }
  SUBCASE("in two steps") {
    installed.check(wrapper + " -O2 -c program.cpp -o program.o && " + wrapper + " program.o -o program");
  }
  SUBCASE("with clang") { installed.check("RT_CXX=clang++ " + wrapper + " -Os program.cpp -o program"); }
  SUBCASE("by a link from elsewhere") {
    installed.check("ln -s " + wrapper + " link && ./link program.cpp -o program");
  }
}

TEST_CASE("a program is built with the flags that pkg-config tells") {
  const Installed installed("stage"); // pkg-config has no way to tell of a space
  installed.check("PKG_CONFIG_PATH=" + quoted(installed.prefix() + "/lib/pkgconfig") +
                  " && export PKG_CONFIG_PATH && g++ -O2 $(pkg-config --cflags rt) program.cpp -o program "
                  "$(pkg-config --libs rt)");
}

TEST_CASE("a program is built with CMake") {
  const Installed installed;
  std::ofstream(installed.directory() + "/CMakeLists.txt") << "cmake_minimum_required(VERSION 3.16)\n"
                                                              "project(outside CXX)\n"
                                                              "find_package(rt REQUIRED)\n"
                                                              "add_rt_executable(program program.cpp)\n";
  installed.check("cmake -S . -B build -DCMAKE_PREFIX_PATH=" + quoted(installed.prefix()) +
                  " && cmake --build build && cp build/program program");
}

TEST_CASE("uninstall removes what was installed and nothing else") {
  const Installed installed;
  const std::string foreign = installed.prefix() + "/include/foreign.h";
  std::ofstream(foreign) << "// of somebody else\n";
  CHECK(installed.make("install").by_exit(0)); // again, over what is there
  CHECK(installed.make("uninstall").by_exit(0));
  std::vector<std::string> left;
  for (const auto& entry : fs::recursive_directory_iterator(installed.prefix()))
    if (!entry.is_directory()) left.push_back(entry.path());
  CHECK(left == std::vector{foreign});
}

TEST_CASE("the compiler wrapper says in one line what is wrong") {
  const Installed installed;
  const std::string wrapper = quoted(installed.prefix() + "/bin/rt-c++");
  for (const auto& [arguments, text] :
       {std::pair{"", "no input files"}, {" --target=pdp11 x.cpp", "no library for the CPU 'pdp11'"}}) {
    const e2e::Ending ending = installed.shell(wrapper + arguments);
    CHECK(ending.by_exit(2));
    CHECK(e2e::contains(ending.err, text));
    CHECK(e2e::split_lines(ending.err).size() == 1);
  }
}
