#include <rt/io/dns_cache.hpp>

#include <algorithm>

namespace rt::dns {
namespace {

/// FNV-1a.
std::uint32_t hash_of(const Question& question) {
  std::uint32_t hash = 2166136261u ^ static_cast<std::uint32_t>(question.type);
  for (const std::uint8_t byte : question.name.bytes()) hash = (hash ^ byte) * 16777619u;
  return hash;
}

} // namespace

std::optional<Answer> Cache::find(const Question& question, Clock::time_point now) const {
  const std::uint32_t hash = hash_of(question);
  for (const Entry& entry : entries_)
    if (entry.hash == hash && entry.end > now && entry.question == question) return entry.answer;
  return {};
}

void Cache::keep(const Question& question, const Answer& answer, Clock::time_point now) {
  if (answer.time_to_live == 0 || limit_ == 0) return;
  const std::uint32_t hash = hash_of(question);
  const Clock::time_point end = now + std::chrono::seconds(answer.time_to_live);
  Entry* place = nullptr;
  for (Entry& entry : entries_) {
    if (entry.hash == hash && entry.question == question) {
      place = &entry;
      break;
    }
    if (entries_.size() == limit_ && (!place || entry.end < place->end)) place = &entry;
  }
  if (place)
    *place = {hash, end, question, answer};
  else
    entries_.push_back({hash, end, question, answer});
}

} // namespace rt::dns
