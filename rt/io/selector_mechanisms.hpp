#pragma once
// The three ways in which Linux tells what many descriptors are ready for, behind one interface:
//
//   add, change, remove   a key, told with its place in the array of all keys; add: it will be the last one
//   wait                  until one of the descriptors is ready or the deadline has passed, and adds those that are to
//                         `found`; none of them: the time is over. Suspends only the fiber when called in one.
//
//               limit        cost of a wait      descriptors closed meanwhile
//   Select      below 1024   of all keys         wait fails with bad_file_descriptor
//   Poll        none         of all keys         are ready for all that is waited for, so that reading tells
//   Epoll       none         of ready keys       are forgotten by the kernel, and never ready

#include <rt/io/fd.hpp>
#include <rt/io/selector_keys.hpp>
#include <rt/kernel/poll.hpp>
#include <rt/kernel/select.hpp>

namespace rt::selecting {

using Found = std::vector<SelectorEvent>;

/// select(2).
class Select {
 public:
  Result<void> add(int fd, Ready events);
  Result<void> change(int fd, std::size_t place, Ready events);
  void remove(int fd, std::size_t place);
  Result<void> wait(SelectorKeys& keys, Deadline deadline, Found& found);
  void close() {}

 private:
  kernel::DescriptorSet readers_, writers_;
};

/// poll(2).
class Poll {
 public:
  Result<void> add(int fd, Ready events);
  Result<void> change(int fd, std::size_t place, Ready events);
  void remove(int fd, std::size_t place);
  Result<void> wait(SelectorKeys& keys, Deadline deadline, Found& found);
  void close() { polled_.clear(); }

 private:
  std::vector<kernel::Polled> polled_; // in the order of the keys
};

/// epoll(7).
class Epoll {
 public:
  Result<void> add(int fd, Ready events);
  Result<void> change(int fd, std::size_t place, Ready events);
  void remove(int fd, std::size_t place);
  Result<void> wait(SelectorKeys& keys, Deadline deadline, Found& found);
  void close() { epoll_.close(); }

  /// The set's own descriptor, made if there is none yet.
  Result<int> number();

 private:
  Fd epoll_;
};

} // namespace rt::selecting
