#pragma once
// What the tests of locks and threads share.

#include <rt/base/task.hpp>
#include <rt/sync/sleep.hpp>
#include <rt/sync/spin.hpp>
#include <rt/thread/thread.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace sync_test {

using namespace std::chrono_literals;

/// Nothing that is meant to happen takes as long; it is never waited for to the end unless a test fails.
inline constexpr auto limit = 10s;
/// Time limits that are meant to pass.
inline constexpr auto moment = 20ms;

/// Nobody spins: who waits sleeps at once.
class WithoutSpinning {
 public:
  WithoutSpinning() { rt::set_spin_time(0ns); }
  WithoutSpinning(const WithoutSpinning&) = delete;
  ~WithoutSpinning() { rt::set_spin_time(rt::default_spin_time); }
};

/// Looks busy for about as long: a delay below what sleeping can be asked for.
inline void dawdle(unsigned steps) {
  for (unsigned i = 0; i < steps; ++i) asm volatile("");
}

/// Waits until the condition is true; false: it has not become so within the limit.
template <class C> bool becomes(C condition) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    rt::sleep_for(100us);
  }
  return true;
}

/// Whether the thread sleeps in the kernel, as /proc says: then it has come to rest in whatever it waits for.
inline bool asleep(std::uint32_t thread_id) {
  FILE* file = std::fopen(("/proc/self/task/" + std::to_string(thread_id) + "/stat").c_str(), "r");
  if (!file) return false;
  char state = '?';
  const int found = std::fscanf(file, "%*d (%*[^)]) %c", &state);
  std::fclose(file);
  return found == 1 && state == 'S';
}

/// A thread that runs at once and is joined at the end.
class Running : public rt::Thread {
 public:
  template <class F> explicit Running(F&& function) : Thread(std::forward<F>(function)) { start().value(); }
  template <class F>
  Running(const rt::ThreadOptions& options, F&& function) : Thread(options, std::forward<F>(function)) {
    start().value();
  }
  bool comes_to_rest() const {
    return becomes([this] { return asleep(id()); });
  }
};

struct ChildEnd {
  int status;         // as waitpid(2) says
  std::string output; // on standard error

  bool exited_with(int code) const { return WIFEXITED(status) && WEXITSTATUS(status) == code; }
  bool aborted() const { return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT; }
  bool says(std::string_view text) const { return output.find(text) != output.npos; }
};

/// Runs a function in a forked process. Its exit status is 0 if the function returns true.
class Child {
 public:
  template <class F> explicit Child(F function) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      dup2(ends[1], 2);
      close(ends[0]);
      close(ends[1]);
      alarm(30); // a child that hangs fails the test rather than to stop it
      // The child's only thread is another one than its parent's, and its locks have to know that.
      rt::this_thread_task.id = rt::current_task_id = static_cast<rt::TaskId>(gettid());
      _exit(function() ? 0 : 1);
    }
    close(ends[1]);
    output_ = ends[0];
  }
  Child(const Child&) = delete;
  ~Child() { (void)end(); }

  pid_t pid() const { return pid_; }

  ChildEnd end() {
    ChildEnd result{0, {}};
    if (pid_ < 0) return result;
    char buffer[4096];
    for (ssize_t n; (n = read(output_, buffer, sizeof buffer)) > 0;)
      result.output.append(buffer, static_cast<std::size_t>(n));
    close(output_);
    waitpid(pid_, &result.status, 0);
    pid_ = -1;
    return result;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

template <class F> ChildEnd in_child(F function) { return Child(function).end(); }

/// Whether the function panics with a message that holds the text.
template <class F> void check_panics(std::string_view text, F function) {
  const ChildEnd end = in_child([&] { return function(), true; });
  CHECK(end.aborted());
  CHECK_MESSAGE(end.says("panic: "), end.output);
  CHECK_MESSAGE(end.says(text), end.output);
}

/// An object in memory that is shared with forked children.
template <class T> class Mapped {
 public:
  template <class... A> explicit Mapped(A&&... arguments) {
    void* memory = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    object_ = ::new (memory) T(std::forward<A>(arguments)...);
  }
  Mapped(const Mapped&) = delete;
  ~Mapped() {
    object_->~T();
    munmap(object_, sizeof(T));
  }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }

 private:
  T* object_;
};

} // namespace sync_test
