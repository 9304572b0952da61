// The smallest program with a thread: start, join, print.

#include <rt/base/print.hpp>
#include <rt/thread/thread.hpp>

int main() {
  rt::Thread thread([] { rt::println("hello from a thread"); });
  if (!thread.start().ok()) {
    rt::eprintln("hello_thread: no thread started");
    return 1;
  }
  thread.join();
  rt::println("hello");
}
