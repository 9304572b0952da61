#include <rt/io/selectors.hpp>

namespace rt {
namespace {

bool valid(Ready events) {
  const auto bits = static_cast<std::uint32_t>(events);
  return bits != 0 && (bits & ~static_cast<std::uint32_t>(Ready::read | Ready::write)) == 0;
}

} // namespace

template <class Mechanism>
Result<SelectorKey> BasicSelector<Mechanism>::register_(int fd, Ready events, SelectorData data) {
  if (closed_) return Errc::closed;
  if (!valid(events)) return Errc::invalid_argument;
  if (keys_.place_of(fd) != keys_.nowhere) return Errc::file_exists;
  if (const Result<void> added = mechanism_.add(fd, events); !added) return added.error();
  SelectorKey key{fd, events, std::move(data)};
  keys_.add(key);
  return key;
}

template <class Mechanism>
Result<SelectorKey> BasicSelector<Mechanism>::modify(int fd, Ready events, SelectorData data) {
  const Result<std::size_t> place = place_of(fd);
  if (!place) return place.error();
  if (!valid(events)) return Errc::invalid_argument;
  SelectorKey& key = keys_[*place];
  if (events != key.events) {
    if (const Result<void> changed = mechanism_.change(fd, *place, events); !changed) {
      (void)unregister(fd);
      return changed.error();
    }
  }
  key.events = events;
  key.data = std::move(data);
  return key;
}

template <class Mechanism> Result<SelectorKey> BasicSelector<Mechanism>::unregister(int fd) {
  const Result<std::size_t> place = place_of(fd);
  if (!place) return place.error();
  mechanism_.remove(fd, *place);
  return keys_.take(*place);
}

template <class Mechanism> Result<SelectorKey> BasicSelector<Mechanism>::get_key(int fd) const {
  const Result<std::size_t> place = place_of(fd);
  if (!place) return place.error();
  return keys_.all()[*place];
}

template <class Mechanism> Result<std::size_t> BasicSelector<Mechanism>::place_of(int fd) const {
  if (closed_) return Errc::closed;
  const std::size_t place = keys_.place_of(fd);
  if (place == keys_.nowhere) return Errc::no_such_file_or_directory;
  return place;
}

template <class Mechanism>
Result<std::vector<SelectorEvent>> BasicSelector<Mechanism>::select_until(Deadline deadline) {
  if (closed_) return Errc::closed;
  std::vector<SelectorEvent> found;
  const Result<void> waited = mechanism_.wait(keys_, deadline, found);
  if (closed_) return Errc::closed; // by another fiber
  if (!waited) return waited.error();
  return found;
}

template <class Mechanism> void BasicSelector<Mechanism>::close() {
  closed_ = true;
  keys_.clear();
  mechanism_.close();
}

template class BasicSelector<selecting::Select>;
template class BasicSelector<selecting::Poll>;
template class BasicSelector<selecting::Epoll>;

} // namespace rt
