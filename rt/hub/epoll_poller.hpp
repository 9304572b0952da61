#pragma once
// EpollPoller: a Poller by epoll(7).
//
// The kernel goes on watching a descriptor when nobody waits for it any more: who serves a connection waits for it
// again and again, and costs no call more than the one in which the hub sleeps. Only when the kernel tells twice of
// something that nobody waits for is it told to be silent.
//
// Of several flows that wait to read only the first is made ready; if that does not read all, the next look tells
// again. Errors and a hang-up make all go on.

#include <rt/hub/poller.hpp>
#include <rt/kernel/epoll.hpp>

namespace rt::hub {

class EpollPoller final : public Poller {
 public:
  static Result<Poller*> make(Hub& hub);

  std::string_view engine() const override { return "epoll"; }
  Result<Ready> wait(int descriptor, Ready events, Deadline deadline) override;
  void look(Deadline deadline) override;
  void wake() override;

 private:
  EpollPoller(Hub& hub, int epoll, int waker) : Poller(hub), epoll_(epoll), waker_(waker) {}

  void forget(int descriptor) override;
  void end_wait(DescriptorWaiter& waiter) override { Poller::wake(waiter); }
  void abandon() override;

  Errc watch(int descriptor, DescriptorEntry& entry, std::uint32_t events);
  std::uint32_t deliver(DescriptorEntry& entry, std::uint32_t events);
  void silence(int descriptor, DescriptorEntry& entry, std::uint32_t events);

  const int epoll_;
  const int waker_; // an eventfd: each write to it is an event, and nobody needs to read it
  kernel::EpollEvent events_[256];
};

} // namespace rt::hub
