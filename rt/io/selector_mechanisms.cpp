#include <rt/io/selector_mechanisms.hpp>

#include <rt/io/wait_for_several.hpp>
#include <rt/kernel/epoll.hpp>

#include <algorithm>
#include <memory>

namespace rt::selecting {
namespace {

// Errors and hang-ups make a descriptor ready for all that is waited for: the next call on it will tell.
Ready meant(Ready told, Ready events) {
  constexpr auto others = [](Ready one) { return static_cast<Ready>(~static_cast<std::uint32_t>(one)); };
  Ready ready = Ready::none;
  if (any(told & others(Ready::read))) ready = ready | Ready::write;
  if (any(told & others(Ready::write))) ready = ready | Ready::read;
  return ready & events;
}

void add_found(Found& found, const SelectorKey& key, Ready ready) {
  if (any(ready)) found.push_back({key, ready});
}

} // namespace

// --- Select ---

Result<void> Select::add(int fd, Ready events) {
  if (fd >= kernel::DescriptorSet::limit) return Errc::descriptor_too_large;
  if (!kernel::is_open(fd)) return Errc::bad_file_descriptor;
  return change(fd, 0, events);
}

Result<void> Select::change(int fd, std::size_t, Ready events) {
  remove(fd, 0);
  if (any(events & Ready::read)) readers_.add(fd);
  if (any(events & Ready::write)) writers_.add(fd);
  return {};
}

void Select::remove(int fd, std::size_t) {
  readers_.remove(fd);
  writers_.remove(fd);
}

Result<void> Select::wait(SelectorKeys& keys, Deadline deadline, Found& found) {
  kernel::DescriptorSet readable, writable;
  WaitingSet set;
  const auto look = [&](Deadline until) {
    int end = 0;
    for (const auto& key : keys.all()) end = std::max(end, key.fd + 1);
    readable = readers_;
    writable = writers_;
    return kernel::select(end, readable, writable, until);
  };
  const auto suspend = [&](Deadline until) {
    std::vector<kernel::Polled> polled;
    for (const auto& key : keys.all()) polled.emplace_back(key.fd, key.events);
    return set.wait(polled, until);
  };
  const Result<unsigned> count = look_or_suspend(deadline, look, suspend);
  if (!count) return count.error();
  if (*count == 0) return {};
  for (const auto& key : keys.all())
    add_found(found, key,
              (readable.contains(key.fd) ? Ready::read : Ready::none) |
                  (writable.contains(key.fd) ? Ready::write : Ready::none));
  return {};
}

// --- Poll ---

Result<void> Poll::add(int fd, Ready events) {
  if (!kernel::is_open(fd)) return Errc::bad_file_descriptor;
  polled_.emplace_back(fd, events);
  return {};
}

Result<void> Poll::change(int fd, std::size_t place, Ready events) {
  polled_[place] = {fd, events};
  return {};
}

void Poll::remove(int, std::size_t place) {
  polled_[place] = polled_.back();
  polled_.pop_back();
}

Result<void> Poll::wait(SelectorKeys& keys, Deadline deadline, Found& found) {
  WaitingSet set;
  const Result<unsigned> count = look_or_suspend(
      deadline, [&](Deadline until) { return kernel::poll(polled_, until); },
      [&](Deadline until) { return set.wait(polled_, until); });
  if (!count) return count.error();
  if (*count == 0) return {};
  for (std::size_t place = 0; place < keys.size(); ++place)
    add_found(found, keys[place], meant(polled_[place].ready(), keys[place].events));
  return {};
}

// --- Epoll ---

Result<int> Epoll::number() {
  if (!epoll_) {
    const Result<int> made = kernel::make_epoll();
    if (!made) return made;
    epoll_ = Fd(*made);
  }
  return epoll_.number();
}

Result<void> Epoll::add(int fd, Ready events) {
  const Result<int> epoll = number();
  if (!epoll) return epoll.error();
  return kernel::change_epoll(*epoll, kernel::EpollChange::add, fd, events);
}

Result<void> Epoll::change(int fd, std::size_t, Ready events) {
  return kernel::change_epoll(epoll_.number(), kernel::EpollChange::modify, fd, events);
}

// The kernel has forgotten those that were closed.
void Epoll::remove(int fd, std::size_t) {
  (void)kernel::change_epoll(epoll_.number(), kernel::EpollChange::remove, fd, Ready::none);
}

Result<void> Epoll::wait(SelectorKeys& keys, Deadline deadline, Found& found) {
  const Result<int> epoll = number();
  if (!epoll) return epoll.error();
  const std::size_t most = std::max<std::size_t>(keys.size(), 1);
  const auto events = std::make_unique_for_overwrite<kernel::EpollEvent[]>(most);
  const Result<unsigned> count = look_or_suspend(
      deadline,
      [&](Deadline until) {
        return kernel::wait_in_epoll(*epoll, {events.get(), most}, until);
      },
      [&](Deadline until) -> Result<void> {
        const Result<Ready> ready = wait_until_ready(*epoll, Ready::read, until);
        return ready ? Result<void>{} : ready.error();
      });
  if (!count) return count.error();
  for (const auto& event : std::span(events.get(), *count)) {
    const std::size_t place = keys.place_of(event.descriptor());
    if (place != SelectorKeys::nowhere) add_found(found, keys[place], meant(event.ready(), keys[place].events));
  }
  return {};
}

} // namespace rt::selecting
