#pragma once
// What name servers have answered, for as long as the answers hold. Of limited size; not to be used by two threads at
// once.

#include <rt/io/dns_message.hpp>
#include <rt/kernel/clock.hpp>

namespace rt::dns {

class Cache {
 public:
  /// Keeps that many answers at most; 0: none.
  explicit Cache(std::size_t limit) : limit_(limit) {}

  /// The answer to the question, also that there is nothing, if it is known and holds.
  std::optional<Answer> find(const Question& question, Clock::time_point now) const;

  /// Keeps the answer if it may be kept. When there is no room, the one that holds for the shortest time goes.
  void keep(const Question& question, const Answer& answer, Clock::time_point now);

  void clear() { entries_.clear(); }
  std::size_t size() const { return entries_.size(); }

 private:
  // The hash comes first: a search looks at little else.
  struct Entry {
    std::uint32_t hash;
    Clock::time_point end;
    Question question;
    Answer answer;
  };

  std::size_t limit_;
  std::vector<Entry> entries_ = {};
};

} // namespace rt::dns
