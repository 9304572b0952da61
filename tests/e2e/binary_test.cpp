// What the binaries promise: static, small, position-independent, without writable code and without libc. And the SDK.

#include "run.hpp"

namespace {

e2e::Ending shell(const std::string& command) { return e2e::run("/bin/sh", {"-c", command}); }

std::filesystem::path build() { return std::getenv("RT_BUILD") ? std::getenv("RT_BUILD") : "build"; }

// What the promises look like on each CPU.
struct Cpu {
  std::string name;
  std::uintmax_t hello_size, hello_thread_size; // at most, in bytes
  std::string alignment;                        // of segments: the largest page size, or a block of pages (flags.mk)
  std::string system_call, thread_pointer;      // in a disassembly, as extended regular expressions
  std::string tool(const std::string& tool) const {
    return (std::filesystem::path(build()).filename() == name ? "" : name + "-linux-gnu-") + tool;
  }
  std::filesystem::path directory() const { return build().parent_path() / name; }
  std::string app(const std::string& app) const { return (directory() / "bare/apps" / app).string(); }

  std::vector<std::string> apps() const { return programs("bare/apps"); }
  std::vector<std::string> programs(const std::string& folder) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory() / folder))
      if (auto path = entry.path(); path.extension() == ".stripped") found.push_back(path.replace_extension().string());
    REQUIRE(found.size() >= 8);
    return found;
  }
};

const std::vector<Cpu>& cpus() {
  static const std::vector<Cpu> all = {
      {"x86_64", 1536, 6144, "0x10000", R"(\ssyscall|\ssysenter|\sint +\$0x80)", "%fs:"},
      {"aarch64", 2048, 8192, "0x10000", R"(\ssvc\s)", "tpidr_el0"},
      {"riscv64", 2048, 8192, "0x1000", R"(\s(ecall|scall))", R"([,(]tp\b)"}};
  return all;
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
  for (const auto& cpu : cpus())
    for (const auto& app : cpu.apps()) {
      CAPTURE(app);
      CHECK(shell(cpu.tool("nm") + " -u " + app).out == "");
      const auto segments = shell(cpu.tool("readelf") + " -lW " + app);
      CHECK(e2e::contains(segments.out, "DYN"));
      CHECK(!e2e::contains(segments.out, "INTERP"));
      CHECK(!e2e::contains(segments.out, "RWE"));
      CHECK(e2e::contains(segments.out, "GNU_STACK"));
    }
}

TEST_CASE("segments are aligned to the CPU's largest page, and the file is not padded to it") {
  for (const auto& cpu : cpus()) {
    CAPTURE(cpu.name);
    const auto segments = e2e::split_lines(shell(cpu.tool("readelf") + " -lW " + cpu.app("hello_thread")).out);
    const auto loaded = e2e::places(segments, " LOAD ");
    CHECK(loaded.size() >= 2);
    for (const std::size_t place : loaded) CHECK(segments[place].ends_with(" " + cpu.alignment));
  }
}

TEST_CASE("programs of aarch64 ask the kernel to check where indirect branches land") {
  for (const auto& cpu : cpus()) {
    if (cpu.name != "aarch64") continue;
    auto programs = cpu.programs("bare/tests/bare");
    for (const auto& app : cpu.apps()) programs.push_back(app);
    for (const char* name : {"hello", "hello_thread"})
      programs.push_back((cpu.directory() / "bare-clang/apps" / name).string());
    for (const auto& program : programs) {
      CAPTURE(program);
      CHECK(e2e::contains(shell(cpu.tool("readelf") + " -lW " + program).out, "GNU_PROPERTY"));
      CHECK(e2e::contains(shell(cpu.tool("readelf") + " -nW " + program).out, "AArch64 feature: BTI"));
    }
    // Those that parse floating-point numbers are among them, by libgcc's functions.
    CHECK(e2e::contains(shell(cpu.tool("nm") + " " + cpu.app("17_pipe")).out, " __divtf3"));
  }
}

// libgcc's have none (rt/start/libgcc.sh).
TEST_CASE("on aarch64 nothing takes the address of a function that has no landing pad") {
  for (const auto& cpu : cpus()) {
    if (cpu.name != "aarch64") continue;
    const std::string directory = cpu.directory().string(), functions = directory + "/libmusl-pure.a";
    const auto names = [](const std::string& command) { return e2e::split_lines(shell(command + " | sort -u").out); };
    const auto without = names(cpu.tool("objdump") + " -d --no-show-raw-insn " + functions +
                               " | awk '/>:$/ { name = $2; getline; if ($2 != \"bti\") print name }' | tr -d '<>:'");
    const auto taken =
        names(cpu.tool("readelf") + " -rW " + directory + "/bare/librt.a " + directory + "/bare/apps/*.o " + functions +
              " | awk '/^Relocation section/ { debug = /debug|eh_frame/ }"
              " / R_AARCH64_/ && !debug && $3 !~ /_(CALL|JUMP)26$/ { print $5 }'");
    for (const char* name : {"__divtf3", "__addtf3", "__udivti3"})
      CHECK(std::find(without.begin(), without.end(), name) != without.end());
    CHECK(taken.size() > 100);
    for (const auto& name : without) {
      CAPTURE(name);
      CHECK(std::find(taken.begin(), taken.end(), name) == taken.end());
    }
  }
}

TEST_CASE("a program without any constant of its own has no segment that is both writable and executable") {
  const Outside outside;
  REQUIRE(outside.compile("int main() {}\n", "--smallest").by_exit(0));
  CHECK(!e2e::contains(shell("readelf -lW " + outside.directory + "/program").out, "RWE"));
  CHECK(outside.run().by_exit(0));
}

TEST_CASE("hello has no relocation, and the other apps have RELATIVE ones only") {
  for (const auto& cpu : cpus()) {
    CHECK(e2e::contains(shell(cpu.tool("readelf") + " -rW " + cpu.app("hello")).out, "no relocations"));
    for (const auto& app : cpu.apps()) {
      CAPTURE(app);
      CHECK(shell(cpu.tool("readelf") + " -rW " + app + " | grep R_ | grep -v _RELATIVE").out == "");
    }
  }
}

TEST_CASE("hello and hello_thread stay within their sizes") {
  for (const auto& cpu : cpus()) {
    CAPTURE(cpu.name);
    CHECK(std::filesystem::file_size(cpu.app("hello.stripped")) <= cpu.hello_size);
    CHECK(std::filesystem::file_size(cpu.app("hello_thread.stripped")) <= cpu.hello_thread_size);
  }
}

TEST_CASE("what clang and lld make of the smallest apps keeps the same promises, without padding") {
  for (const auto& cpu : cpus())
    for (const auto& [name, size] : {std::pair("hello", 4096), std::pair("hello_thread", 16384)}) {
      const std::string app = (cpu.directory() / "bare-clang/apps" / name).string();
      CAPTURE(app);
      CHECK(shell(cpu.tool("nm") + " -u " + app).out == "");
      const auto segments = shell(cpu.tool("readelf") + " -lW " + app);
      CHECK(e2e::contains(segments.out, "DYN"));
      CHECK(!e2e::contains(segments.out, "INTERP"));
      CHECK(!e2e::contains(segments.out, "RWE"));
      CHECK(shell(cpu.tool("readelf") + " -rW " + app + " | grep R_ | grep -v _RELATIVE").out == "");
      CHECK(std::filesystem::file_size(app + ".stripped") <= static_cast<std::uintmax_t>(size));
    }
}

TEST_CASE("each app has its map and its disassembly beside it") {
  for (const auto& cpu : cpus())
    for (const auto& app : cpu.apps()) {
      CAPTURE(app);
      CHECK(std::filesystem::file_size(app + ".map") > 0);
      CHECK(std::filesystem::file_size(app + ".asm") > 0);
    }
}

TEST_CASE("no linked function of musl makes a system call or reads the thread pointer") {
  for (const auto& cpu : cpus()) {
    CAPTURE(cpu.name);
    const std::string code = cpu.tool("objdump") + " -d --no-show-raw-insn ";
    const std::string library = (cpu.directory() / "libmusl-pure.a").string();
    CHECK(shell(code + library + " | grep -E '" + cpu.system_call + "|" + cpu.thread_pointer + "'").out == "");
    // The same expressions find both in a program that starts a thread.
    const std::string program = cpu.app("hello_thread");
    CHECK(shell(code + program + " | grep -E '" + cpu.system_call + "'").out != "");
    CHECK(shell(code + program + " | grep -E '" + cpu.thread_pointer + "'").out != "");
    CHECK(std::stoi(shell(code + library + " | grep -c '>:$'").out) >= 70);
  }
}

TEST_CASE("assembly marks the stack as not executable, and on aarch64 its indirect entries have landing pads") {
  for (const auto& cpu : cpus())
    for (const std::string file : {"start", "clone", "switch"}) {
      const std::string object = (cpu.directory() / "bare/arch" / cpu.name / (file + ".o")).string();
      CAPTURE(object);
      CHECK(e2e::contains(shell(cpu.tool("readelf") + " -SW " + object).out, ".note.GNU-stack"));
      if (cpu.name != "aarch64") continue;
      CHECK(e2e::contains(shell(cpu.tool("readelf") + " -nW " + object).out, "BTI, PAC"));
      CHECK(e2e::contains(shell(cpu.tool("objdump") + " -d " + object + " | grep -A1 '>:$'").out, "bti\t"));
    }
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
