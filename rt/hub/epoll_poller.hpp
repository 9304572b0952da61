#pragma once
// EpollPoller: a Poller by epoll(7).

#include <rt/hub/poller.hpp>
#include <rt/kernel/epoll.hpp>

namespace rt::hub {

class EpollPoller final : public Poller {
 public:
  static Result<Poller*> make(Hub& hub);

  std::string_view engine() const override { return "epoll"; }
  void look(Deadline deadline) override;
  void wake() override;

 private:
  EpollPoller(Hub& hub, int epoll, int waker) : Poller(hub), epoll_(epoll), waker_(waker) {}

  Errc watch(int descriptor, DescriptorEntry& entry, std::uint32_t events) override;
  void forget(int descriptor) override;
  void abandon() override;
  void silence(int descriptor, DescriptorEntry& entry, std::uint32_t events);

  const int epoll_;
  const int waker_; // an eventfd: each write to it is an event, and nobody needs to read it
  kernel::EpollEvent events_[256];
};

} // namespace rt::hub
