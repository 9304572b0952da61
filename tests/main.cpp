// The main of every doctest program: doctest's own report, then one line that all tests of the project end with.

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <csignal>
#include <cstdio>

namespace {

struct LastLine : doctest::IReporter {
  explicit LastLine(const doctest::ContextOptions&) {}
  void test_run_end(const doctest::TestRunStats& stats) override {
    std::printf("%u passed, %u failed\n", stats.numTestCasesPassingFilters - stats.numTestCasesFailed,
                stats.numTestCasesFailed);
    std::fflush(stdout);
  }
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_case_start(const doctest::TestCaseData&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  // Of a case that cannot run everywhere the description is the reason.
  void test_case_skipped(const doctest::TestCaseData& data) override {
    if (data.m_skip) std::printf("SKIPPED %s: %s\n", data.m_name, data.m_description);
  }
};

DOCTEST_REGISTER_LISTENER("last line", 0, LastLine);

} // namespace

// To ThreadSanitizer each fiber is a thread, and pooled ones live on, so that every fork() here is one of a program
// with several threads; the children that these tests make are meant to start others.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_DFL); // some of those who start tests ignore it, which is inherited
  doctest::Context context(argc, argv);
  return context.run();
}
