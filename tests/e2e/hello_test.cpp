// The smallest programs.

#include "run.hpp"

TEST_CASE("hello prints one line") {
  const auto ending = e2e::run(e2e::app("hello"));
  CHECK(ending.by_exit(0));
  CHECK(ending.out == "hello\n");
  CHECK(ending.err == "");
}

TEST_CASE("hello_thread prints the thread's line first, because main joins") {
  const auto ending = e2e::run(e2e::app("hello_thread"));
  CHECK(ending.by_exit(0));
  CHECK(ending.out == "hello from a thread\nhello\n");
  CHECK(ending.err == "");
}

TEST_CASE("the stripped programs behave the same") {
  CHECK(e2e::run(e2e::app("hello.stripped")).out == "hello\n");
  CHECK(e2e::run(e2e::app("hello_thread.stripped")).out == "hello from a thread\nhello\n");
}
