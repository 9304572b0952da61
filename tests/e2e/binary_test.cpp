// What the binaries promise: static, small, position-independent, without writable code and without libc. And the SDK.

#include "run.hpp"

namespace {

e2e::Ending shell(const std::string& command) { return e2e::run("/bin/sh", {"-c", command}); }

std::filesystem::path build() { return std::getenv("RT_BUILD") ? std::getenv("RT_BUILD") : "build"; }

std::vector<std::string> all_apps() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(e2e::apps_directory()))
    if (const auto path = entry.path(); path.has_extension() && path.extension() == ".stripped")
      found.push_back((e2e::apps_directory() / path.stem()).string());
  REQUIRE(found.size() >= 8);
  return found;
}

// A program built with the SDK's compiler wrapper, in a directory of its own.
struct Outside {
  std::string directory;
  Outside() {
    char name[] = "/tmp/rt-outside-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    directory = name;
  }
  ~Outside() { std::filesystem::remove_all(directory); }

  e2e::Ending compile(const std::string& source, const std::string& options = "") const {
    std::ofstream(directory + "/program.cpp") << source;
    return shell(std::filesystem::absolute(build() / "sdk/bin/rt-c++").string() + " " + options + " " + directory +
                 "/program.cpp -o " + directory + "/program");
  }
  e2e::Ending run() const { return e2e::run(directory + "/program"); }
};

} // namespace

TEST_CASE("no app has an undefined symbol, an interpreter or a segment that is both writable and executable") {
  for (const auto& app : all_apps()) {
    CAPTURE(app);
    CHECK(shell("nm -u " + app).out == "");
    const auto segments = shell("readelf -lW " + app);
    CHECK(e2e::contains(segments.out, "DYN"));
    CHECK(!e2e::contains(segments.out, "INTERP"));
    CHECK(!e2e::contains(segments.out, "RWE"));
    CHECK(e2e::contains(segments.out, "GNU_STACK"));
  }
}

TEST_CASE("hello has no relocation, and the other apps have RELATIVE ones only") {
  CHECK(e2e::contains(shell("readelf -rW " + e2e::app("hello")).out, "no relocations"));
  for (const auto& app : all_apps()) {
    CAPTURE(app);
    CHECK(shell("readelf -rW " + app + " | grep R_ | grep -v _RELATIVE").out == "");
  }
}

TEST_CASE("hello and hello_thread stay within their sizes") {
  CHECK(std::filesystem::file_size(e2e::app("hello.stripped")) <= 1536);
  CHECK(std::filesystem::file_size(e2e::app("hello_thread.stripped")) <= 6144);
}

TEST_CASE("each app has its map and its disassembly beside it") {
  for (const auto& app : all_apps()) {
    CAPTURE(app);
    CHECK(std::filesystem::file_size(app + ".map") > 0);
    CHECK(std::filesystem::file_size(app + ".asm") > 0);
  }
}

TEST_CASE("no linked member of musl makes a system call or reads the thread pointer but for the canary") {
  // %fs:0x28 is the canary's slot on x86_64.
  const auto code = shell("objdump -d " + (build() / "libmusl-pure.a").string() +
                          " | grep -E 'syscall|sysenter|int +\\$0x80|%fs:' | grep -v '%fs:0x28'");
  CHECK(code.out == "");
  CHECK(e2e::contains(shell("objdump -d " + (build() / "libmusl-pure.a").string() + " | grep -c '>:'").out, "\n"));
}

TEST_CASE("addresses differ between runs, and the stack is not executable") {
  const Outside outside;
  REQUIRE(outside
              .compile("#include <rt/rt.hpp>\n"
                       "int variable; int main() { int local; rt::println(\"{} {}\", &variable, &local); }\n")
              .by_exit(0));
  CHECK(outside.run().out != outside.run().out);
  const auto segments = shell("readelf -lW " + outside.directory + "/program | grep GNU_STACK");
  CHECK(e2e::contains(segments.out, "RW "));
}

TEST_CASE("a program whose only pointers in initialised data are variables can write to its variables") {
  const Outside outside;
  REQUIRE(outside
              .compile("#include <rt/rt.hpp>\n"
                       "int variable = 1; int* volatile pointer = &variable;\n"
                       "int main() { *pointer = 2; rt::println(\"{}\", variable); }\n")
              .by_exit(0));
  CHECK(outside.run().out == "2\n");
}

TEST_CASE("rt-c++ builds an outside program with containers, threads and floating point") {
  const Outside outside;
  const auto compiled = outside.compile(R"(
#include <rt/rt.hpp>
#include <map>
#include <mutex>
#include <string>
#include <vector>
int main(int argc, char**) {
  rt::Lock lock;
  std::vector<std::string> words;
  {
    rt::Thread thread([&] { const std::lock_guard guard(lock); words.push_back("from a thread"); });
    (void)thread.start();
  }
  rt::println("{} {} {} {:.2f}", argc, words.at(0), 1.5, 2.0 / 3);
}
)",
                                        "-O2 -Wall -Wextra -Werror");
  CHECK(compiled.err == "");
  REQUIRE(compiled.by_exit(0));
  CHECK(outside.run().out == "1 from a thread 1.5 0.67\n");
}

TEST_CASE("a program that calls libc's printf, malloc or pthread_create does not link") {
  const std::vector<std::pair<std::string, std::string>> calls = {
      {"printf", "#include <stdio.h>\nint main() { printf(\"%d\", 1); }\n"},
      {"malloc", "#include <stdlib.h>\nint main() { return malloc(1) == nullptr; }\n"},
      {"pthread_create",
       "#include <pthread.h>\nint main() { pthread_t t; return pthread_create(&t, nullptr, nullptr, nullptr); }\n"}};
  for (const auto& [name, source] : calls) {
    CAPTURE(name);
    const Outside outside;
    const auto linked = outside.compile(source, "-O0");
    CHECK(!linked.by_exit(0));
    CHECK(e2e::contains(linked.err, "undefined reference to `" + name + "'"));
  }
}

TEST_CASE("a crash's addresses are understood by addr2line") {
  const Outside outside;
  REQUIRE(outside
              .compile("int* volatile nowhere;\n"
                       "[[gnu::noinline]] void culprit() { *nowhere = 1; }\n"
                       "int main() { culprit(); return 0; }\n",
                       "-g -O0")
              .by_exit(0));
  const auto crashed = outside.run();
  REQUIRE(e2e::contains(crashed.err, "crash: SIGSEGV"));
  const std::size_t list = crashed.err.find("ADDRESS):\n");
  REQUIRE(list != std::string::npos);
  const std::string first = e2e::split_lines(crashed.err.substr(list + 10))[0];
  CHECK(e2e::contains(shell("addr2line -Cfpe " + outside.directory + "/program " + first).out, "culprit"));
}

TEST_CASE("rt-c++ without input says so and ends with status 2") {
  const auto ending = shell(std::filesystem::absolute(build() / "sdk/bin/rt-c++").string());
  CHECK(ending.by_exit(2));
  CHECK(ending.err == "rt-c++: no input files\n");
}
