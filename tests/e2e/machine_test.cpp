// Virtual machines: the tour on every CPU, and that no ending of a machine is taken for a success that is none. The
// environment's RT_BUILD names what is built for this CPU, and RT_MACHINES the same folders of all CPUs to be tested.

#include "run.hpp"

#include <algorithm>
#include <sstream>

namespace {

std::string built(const std::string& file) { return std::string(std::getenv("RT_BUILD")) + "/" + file; }

e2e::Ending boot(const std::string& ram_disk, const std::string& words) {
  return e2e::run(built("machine/boot"), {built(ram_disk), "1", words});
}

e2e::Ending test(const std::string& seconds, const std::string& ram_disk, const std::string& words) {
  return e2e::run("tests/machine/test.sh", {seconds, built("machine/boot"), built(ram_disk), "1", words});
}

std::size_t number_of_apps() { return e2e::numbered_apps().size() + 2; } // hello and hello_thread have no number

} // namespace

TEST_CASE("the tour runs on every CPU's kernel, and the machine is powered off at its end") {
  const char* machines = std::getenv("RT_MACHINES");
  REQUIRE(machines);
  std::istringstream folders(machines);
  for (std::string folder; folders >> folder;) {
    CAPTURE(folder);
    const auto ending = e2e::run(folder + "/machine/boot", {folder + "/bare/machine/tour.cpio", "2", "/tour / 0.01"},
                                 {.time_limit = std::chrono::seconds(120)});
    INFO(ending.out, ending.err);
    CHECK(ending.by_exit(0));
    CHECK(ending.err == "");
    CHECK(e2e::contains(ending.out, "\ninit: exit code 0\r\n"));
    const auto lines = ending.lines();
    CHECK(std::ranges::count_if(lines, [](std::string_view line) { // a row of the table: name, ok, size, time
            return e2e::contains(line, "ok        ") && e2e::contains(line, " bytes ") && e2e::contains(line, " s");
          }) == static_cast<std::ptrdiff_t>(number_of_apps()));
  }
}

TEST_CASE("an app in a machine gets its arguments, and its exit code is that of the command") {
  const auto good = boot("bare/machine/app-09_event.cpio", "/09_event --time-scale 0.01");
  INFO(good.out, good.err);
  CHECK(good.by_exit(0));
  CHECK(e2e::contains(good.out, "\nend\r\n"));
  const auto bad = boot("bare/machine/app-09_event.cpio", "/09_event --no-such-option");
  INFO(bad.out, bad.err);
  CHECK(bad.by_exit(2));
}

TEST_CASE("a panic of the kernel is a failure, and the console is shown") {
  const auto ending = test("60", "machine/panic.cpio", "");
  INFO(ending.out, ending.err);
  CHECK((ending.in_time && ending.status > 0));
  CHECK(e2e::contains(ending.out, "hello"));
  CHECK(e2e::contains(ending.out, "Kernel panic - not syncing: Attempted to kill init!"));
  CHECK(e2e::contains(ending.out, "\nthe machine failed: the tests did not come to their end\n"));
}

TEST_CASE("a machine that hangs is ended, and what it has said until then is shown") {
  const auto ending = test("10", "bare/machine/app-09_event.cpio", "/09_event --time-scale 1000");
  INFO(ending.out, ending.err);
  CHECK(ending.by_exit(124));
  CHECK(ending.seconds < 40);
  CHECK(e2e::contains(ending.out, "\nthe machine failed: the tests did not come to their end\n"));
}

TEST_CASE("a test's machine passes on its results, and fails with those that failed") {
  const e2e::TemporaryDirectory directory;
  const auto run = [&](const std::string& text, int status) {
    const std::string program = directory.path() + "/machine";
    std::ofstream(program) << "#!/bin/sh\nprintf '" << text << "'\nexit " << status << "\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    return e2e::run("tests/machine/test.sh", {"10", program});
  };
  const auto good = run("firmware\\r\\nok one\\r\\nok two\\r\\n2 passed, 0 failed\\r\\nend\\r\\n", 0);
  CHECK(good.by_exit(0));
  CHECK(good.out == "ok one\nok two\n2 passed, 0 failed\n");
  CHECK(run("ok one\\nFAILED two\\n1 passed, 1 failed\\n", 1).by_exit(1));
  CHECK(run("ok one\\n1 passed, 0 failed\\n", 3).by_exit(3));
  for (const char* lost : {"ok one\\n", "ok one\\n2 passed, 0 failed\\n", "ok one\\nok one\\n1 passed, 0 failed\\n"}) {
    const auto ending = run(lost, 0);
    CAPTURE(ending.out);
    CHECK(ending.by_exit(1));
    CHECK(e2e::contains(ending.out, "\nthe machine failed: "));
  }
}

TEST_CASE("an initial RAM disk is the same for the same files, and complete") {
  const e2e::TemporaryDirectory directory;
  std::ofstream(directory.path() + "/text") << "12345";
  const std::vector<std::string> arguments{"init=" + directory.path() + "/text"};
  const auto first = e2e::run("tests/machine/initramfs.sh", arguments);
  CHECK(first.by_exit(0));
  CHECK(first.out == e2e::run("tests/machine/initramfs.sh", arguments).out);
  CHECK(first.out.size() % 4 == 0);
  const std::string header = "00000001"
                             "00000000"
                             "00000005"
                             "00000000"
                             "00000000"
                             "00000000"
                             "00000000"
                             "00000005"
                             "00000000";
  CHECK(e2e::contains(first.out, header + std::string("init\0"
                                                      "\0"
                                                      "12345"
                                                      "\0\0\0"
                                                      "070701",
                                                      20)));
  CHECK(e2e::contains(first.out, std::string("TRAILER!!!\0", 11)));
  CHECK(e2e::run("tests/machine/initramfs.sh", {"init=/no/such/file"}).by_exit(1));
  CHECK(e2e::run("tests/machine/initramfs.sh").by_exit(2));
}

TEST_CASE("a kernel is taken from the cache without a word") {
  const e2e::TemporaryDirectory directory;
  const std::string kernels = directory.path() + "/rt/kernels";
  const auto use = [&](const std::vector<std::string>& arguments) {
    return e2e::run("tests/machine/kernel.sh", arguments,
                    {.before_execution = [&] { return setenv("XDG_CACHE_HOME", directory.path().c_str(), 1) == 0; }});
  };
  CHECK(use({}).by_exit(2));
  CHECK(use({"--cached", "some-kernel:arm64"}).by_exit(1));
  std::filesystem::create_directories(kernels + "/some-kernel_1.2-3_0123456789ab");
  std::ofstream(kernels + "/some-kernel_1.2-3_0123456789ab/kernel") << "Image";
  std::filesystem::create_symlink("some-kernel_1.2-3_0123456789ab", kernels + "/some-kernel-arm64");
  for (const auto& arguments : {std::vector<std::string>{"some-kernel:arm64"}, {"--cached", "some-kernel:arm64"}}) {
    const auto ending = use(arguments);
    CHECK(ending.by_exit(0));
    CHECK(ending.err == "");
    CHECK(ending.out == std::filesystem::canonical(kernels + "/some-kernel-arm64/kernel").string() + "\n");
  }
  CHECK(use({"--cached", "some-kernel:amd64"}).by_exit(1));
}

TEST_CASE("a machine or an image of an app that does not exist is one line that names those that do") {
  for (const char* target : {"qemu", "qemu-gdb", "image"}) {
    const auto ending = e2e::run("/usr/bin/make", {"--no-print-directory", target, "APP=hallo"});
    CHECK(ending.by_exit(2));
    CHECK(ending.out == "");
    CHECK(e2e::contains(ending.err, "there is no app 'hallo'; the apps are: "));
    CHECK(e2e::contains(ending.err, " hello hello_thread "));
    CHECK(e2e::split_lines(ending.err).size() == 1);
  }
}
