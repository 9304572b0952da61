#pragma once
// Timeout: a time limit for all that blocks in a scope (gevent.Timeout).
//
//   {
//     rt::Timeout limit(2s);
//     auto request = queue.get();          // timed_out when the two seconds are over,
//     auto answer = answers.get_for(5s);   // here as well
//   }
//
// What fails is what returns a Result, sleep_for as well; a lock() waits on, as its caller could not be told. Scopes
// nest: the sooner limit counts. It works in fibers and in threads without any.

#include <rt/base/task.hpp>
#include <rt/kernel/clock.hpp>

#include <algorithm>

namespace rt {

class Timeout {
 public:
  /// From now on.
  template <class Rep, class Period>
  explicit Timeout(std::chrono::duration<Rep, Period> timeout)
      : task_(current_task()), before_(task_.limit), limit_(Deadline::after(timeout)) {
    // A passed limit is at least 1: 0 says that there is none.
    task_.limit = std::max<std::int64_t>(limit_.limited_to(before_).nanoseconds(), 1);
  }
  Timeout(const Timeout&) = delete;
  Timeout& operator=(const Timeout&) = delete;
  ~Timeout() { task_.limit = before_; }

  /// The time is over.
  bool expired() const { return limit_.passed(); }

 private:
  Task& task_;
  const std::int64_t before_;
  const Deadline limit_;
};

} // namespace rt
