// Threads: they are started, joined and asked by several at a time.

#include "tasks.hpp"

using namespace stress;

TEST_CASE("threads are started, joined and asked by several tasks") {
  std::atomic<long> started = 0, ran = 0;
  run([&](Turn& turn) {
    while (turn.goes_on()) {
      rt::Thread thread(rt::ThreadOptions{.daemon = turn.below(4) == 0}, [&] { ++ran; });
      if (!thread.start()) continue;
      ++started;
      rt::Thread other([&thread, timeout = turn.timeout()] { (void)thread.join_for(timeout); });
      if (turn.below(2)) (void)other.start();
      while (turn.below(3)) (void)thread.is_alive();
      if (turn.below(2)) (void)thread.join_for(turn.timeout());
      other.join();
      thread.join();
    }
  });
  CHECK(ran == started);
}
