// An installation: programs outside the tree are built with it by the compiler wrapper, pkg-config and CMake.

#include "run.hpp"

namespace {

const auto linker = std::filesystem::absolute(std::filesystem::path(__FILE__).parent_path() / "../../linker");

std::string sdk() {
  const char* build = std::getenv("RT_BUILD");
  REQUIRE(build);
  return std::filesystem::absolute(build).string() + "/sdk";
}

e2e::Ending shell(const std::string& command) { return e2e::run("/bin/sh", {"-c", command}); }

void succeed(const std::string& command) {
  const auto ending = shell(command);
  INFO(command, "\n", ending.out, ending.err);
  REQUIRE(ending.by_exit(0));
  CHECK(ending.err == "");
}

constexpr auto source = R"(#include <rt/rt.hpp>
#include <string>
int main(int argc, char**) {
  std::string text = "from";
  rt::Thread thread([&] { text += " a thread"; });
  (void)thread.start();
  (void)thread.join();
  rt::println("{} {} {:.2f}", argc, text, 2.0 / 3);
}
)";

/// A directory with `prefix`, where the SDK is installed, and `program.cpp`.
struct Installation {
  const e2e::TemporaryDirectory directory;
  const std::string name, prefix = directory.path() + "/" + name;

  explicit Installation(std::string name_of_prefix = "usr/local") : name(std::move(name_of_prefix)) {
    std::ofstream(directory.path() + "/program.cpp") << source;
    install();
  }

  void install() const {
    succeed("cd '" + sdk() +
            "' && list=$(echo lib/rt/*/)installed && find . \\( -type f -o -type l \\) -printf '%P\\n' | "
            "xargs '" +
            (linker / "install.sh").string() + "' install . '" + prefix + "' \"$list\"");
  }
  e2e::Ending uninstall() const {
    return shell("cd '" + prefix + "' && '" + (linker / "install.sh").string() + "' uninstall '" + prefix +
                 "' lib/rt/*/installed lib/rt/none/installed");
  }
  void check_program(const std::string& path = "program") const {
    CHECK(e2e::run(directory.path() + "/" + path).out == "1 from a thread 0.67\n");
    CHECK(!e2e::contains(shell("readelf -lW '" + directory.path() + "/" + path + "'").out, "INTERP"));
  }
  std::string in_directory(const std::string& command) const { return "cd '" + directory.path() + "' && " + command; }
};

} // namespace

TEST_CASE("rt-c++ of an installation builds programs, with either compiler and in separate steps") {
  const Installation installation("a path with spaces");
  const std::string wrapper = "'" + installation.prefix + "/bin/rt-c++' ";
  for (const std::string compiler : {"g++", "clang++"}) {
    CAPTURE(compiler);
    succeed(installation.in_directory("RT_CXX=" + compiler + " " + wrapper +
                                      "-Wall -Wextra -Werror program.cpp -o program"));
    installation.check_program();
    succeed(installation.in_directory("RT_CXX=" + compiler + " " + wrapper + "-O2 -c program.cpp -o 'an object.o'"));
    succeed(installation.in_directory("RT_CXX=" + compiler + " " + wrapper + "'an object.o' -o program"));
    installation.check_program();
  }
  succeed(installation.in_directory(wrapper + "-x c++ - -o program <program.cpp"));
  installation.check_program();
}

TEST_CASE("rt-c++ takes the CPU from its name or from --target") {
  const Installation installation;
  const auto wrapper = [&](const std::string& name_and_options) {
    return installation.in_directory(installation.prefix + "/bin/" + name_and_options + " program.cpp -o program");
  };
  const auto cpu = std::filesystem::directory_iterator(installation.prefix + "/lib/rt")->path().filename().string();
  succeed(wrapper(cpu + "-rt-c++"));
  succeed(wrapper("rt-c++ --target=" + cpu));
  succeed(wrapper("rt-c++ --target=" + cpu + "-linux-gnu"));
  installation.check_program();
  const auto unknown = shell(wrapper("rt-c++ --target=sparc64"));
  CHECK(unknown.by_exit(2));
  CHECK(unknown.err == "rt-c++: no library for the CPU 'sparc64'; there is: " + cpu + "\n");
}

TEST_CASE("rt-c++ says when it has nothing to compile or to compile with, and answers questions") {
  const Installation installation;
  const std::string wrapper = installation.prefix + "/bin/rt-c++ ";
  for (const std::string options : {"", "-O2", "-o program", "-I include -c"}) {
    CAPTURE(options);
    const auto ending = shell(wrapper + options);
    CHECK(ending.by_exit(2));
    CHECK(ending.err == "rt-c++: no input files\n");
  }
  const auto without = shell("RT_CXX=no-such-compiler " + wrapper + "program.cpp");
  CHECK(without.by_exit(2));
  CHECK(without.err == "rt-c++: there is no compiler 'no-such-compiler'; RT_CXX can name another\n");
  CHECK(e2e::contains(shell(wrapper + "--version").out, "g++"));
}

TEST_CASE("pkg-config gives g++ what a program needs") {
  const Installation installation;
  const std::string flags = "export PKG_CONFIG_PATH=" + installation.prefix + "/lib/pkgconfig; ";
  succeed(installation.in_directory(
      flags + "g++ $(pkg-config --cflags rt) -Wall -Wextra program.cpp -o program $(pkg-config --libs rt)"));
  installation.check_program();
}

TEST_CASE("CMake finds the package and builds programs with it") {
  const Installation installation("a path with spaces");
  std::ofstream(installation.directory.path() + "/CMakeLists.txt") << R"(cmake_minimum_required(VERSION 3.16)
project(outside LANGUAGES CXX)
find_package(rt 0.1 REQUIRED)
add_rt_executable(program program.cpp)
add_rt_executable(tiny SMALLEST tiny.cpp)
)";
  std::ofstream(installation.directory.path() + "/tiny.cpp") << "int main() { return 7; }\n";
  for (const std::string compiler : {"g++", "clang++"}) {
    CAPTURE(compiler);
    succeed(installation.in_directory("rm -rf build && cmake -S . -B build -DCMAKE_CXX_COMPILER=" + compiler +
                                      " -DCMAKE_PREFIX_PATH='" + installation.prefix + "' && cmake --build build"));
    installation.check_program("build/program");
    CHECK(e2e::run(installation.directory.path() + "/build/tiny").by_exit(7));
  }
  const auto newer = shell(installation.in_directory(
      "sed -i 's/find_package(rt 0.1/find_package(rt 99/' CMakeLists.txt && rm -rf build && cmake -S . -B build "
      "-DCMAKE_PREFIX_PATH='" +
      installation.prefix + "'"));
  CHECK(!newer.by_exit(0));
}

TEST_CASE("uninstall removes what was installed, even by an older version, and nothing else") {
  const Installation installation;
  installation.install();
  CHECK(installation.uninstall().by_exit(0));
  CHECK(std::filesystem::is_empty(installation.prefix));

  std::filesystem::create_directories(installation.prefix + "/lib/pkgconfig");
  installation.install();
  std::ofstream(installation.prefix + "/bin/foreign") << "stays\n";
  const auto list = shell("echo '" + installation.prefix + "'/lib/rt/*/installed").out;
  std::ofstream(list.substr(0, list.size() - 1), std::ios::app) << "bin/of-an-older-version\n";
  std::ofstream(installation.prefix + "/bin/of-an-older-version") << "goes\n";
  installation.install();
  CHECK(!std::filesystem::exists(installation.prefix + "/bin/of-an-older-version"));
  CHECK(installation.uninstall().by_exit(0));
  CHECK(shell("cd '" + installation.prefix + "' && find . -mindepth 1 | sort").out ==
        "./bin\n./bin/foreign\n./lib\n./lib/pkgconfig\n");

  const auto again = installation.uninstall();
  CHECK(again.by_exit(1));
  CHECK(again.err == "install.sh: nothing is installed in '" + installation.prefix + "'\n");
}
