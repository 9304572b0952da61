#pragma once
// Selectors: one task waits for many descriptors (Python's selectors module).
//
//   rt::DefaultSelector selector;
//   selector.register_(listener, rt::Ready::read, accept).value();
//   for (;;)
//     for (const auto& event : selector.select().value()) event.call();
//
// Errors are told as epoll_ctl(2) tells them: file_exists where Python raises KeyError because a descriptor is
// registered already, no_such_file_or_directory where it is not.
//
// A selector is used by one task at a time; select() may be called in a fiber, and suspends only this one. Which
// descriptors a select() waits for is settled when it begins: one that another fiber registers meanwhile has its turn
// in the next (EpollSelector: in the same). Close descriptors after they were unregistered; what happens otherwise
// depends on the kind of selector and is told in selector_mechanisms.hpp.

#include <rt/io/selector_mechanisms.hpp>

namespace rt {

namespace selecting {

template <class T>
concept HasNumber = requires(const T& t) {
  { t.number() } -> std::convertible_to<int>;
};

} // namespace selecting

template <class Mechanism> class BasicSelector {
 public:
  BasicSelector() = default;
  BasicSelector(const BasicSelector&) = delete;
  BasicSelector& operator=(const BasicSelector&) = delete;

  /// Waits for the descriptor from the next select() on, for Ready::read, Ready::write or both.
  /// invalid_argument: for nothing, or for anything else; file_exists: it is registered; bad_file_descriptor: it is not
  /// open; descriptor_too_large: for select(2); operation_not_permitted: for epoll, as it is always ready (a file); and
  /// what the kernel says.
  [[nodiscard]] Result<SelectorKey> register_(int fd, Ready events, SelectorData data = {});

  /// Replaces what is waited for and the data. no_such_file_or_directory: it is not registered; invalid_argument. If
  /// the kernel refuses, as it does with a descriptor that is closed, the descriptor is no longer registered.
  [[nodiscard]] Result<SelectorKey> modify(int fd, Ready events, SelectorData data = {});

  /// Waits for it no longer. It may have been closed already. no_such_file_or_directory: it is not registered.
  Result<SelectorKey> unregister(int fd);

  // The same for what owns a descriptor: Fd, sockets.
  template <selecting::HasNumber T>
  [[nodiscard]] Result<SelectorKey> register_(const T& owner, Ready events, SelectorData data = {}) {
    return register_(owner.number(), events, std::move(data));
  }
  template <selecting::HasNumber T>
  [[nodiscard]] Result<SelectorKey> modify(const T& owner, Ready events, SelectorData data = {}) {
    return modify(owner.number(), events, std::move(data));
  }
  template <selecting::HasNumber T> Result<SelectorKey> unregister(const T& owner) {
    return unregister(owner.number());
  }
  template <selecting::HasNumber T> [[nodiscard]] Result<SelectorKey> get_key(const T& owner) const {
    return get_key(owner.number());
  }

  /// Blocks until one is ready, and returns all that are. canceled; timed_out by a Timeout; bad_file_descriptor.
  [[nodiscard]] Result<std::vector<SelectorEvent>> select() { return select_until(Deadline{}); }

  /// The same for a limited time; when it is over, there are none. Not more than zero: looks, and does not wait.
  template <class Rep, class Period>
  [[nodiscard]] Result<std::vector<SelectorEvent>> select(std::chrono::duration<Rep, Period> timeout) {
    return select_until(Deadline::after(timeout));
  }

  /// no_such_file_or_directory: it is not registered.
  [[nodiscard]] Result<SelectorKey> get_key(int fd) const;

  /// All keys, in no order, until the next change (Python's get_map).
  std::span<const SelectorKey> keys() const { return keys_.all(); }

  /// Forgets all keys. From now on everything fails with `closed`.
  void close();

  /// The descriptor of the epoll set, which is ready to read when a descriptor in it is ready.
  /// (A template, as clang 14 instantiates the class with all members that are none.)
  template <class M = Mechanism>
  [[nodiscard]] Result<int> number() requires requires(M m) { m.number(); }
  {
    if (closed_) return Errc::closed;
    return mechanism_.number();
  }

 private:
  Result<std::vector<SelectorEvent>> select_until(Deadline deadline);
  Result<std::size_t> place_of(int fd) const;

  selecting::SelectorKeys keys_;
  Mechanism mechanism_;
  bool closed_ = false;
};

extern template class BasicSelector<selecting::Select>;
extern template class BasicSelector<selecting::Poll>;
extern template class BasicSelector<selecting::Epoll>;

using SelectSelector = BasicSelector<selecting::Select>;
using PollSelector = BasicSelector<selecting::Poll>;
using EpollSelector = BasicSelector<selecting::Epoll>;
/// The best that the system has.
using DefaultSelector = EpollSelector;

} // namespace rt
