#include <rt/io/dns_message.hpp>

#include <algorithm>

namespace rt::dns {
namespace {

constexpr std::size_t longest_label = 63;
constexpr std::size_t header_size = 12;
constexpr std::uint16_t internet = 1; // the class

// The flags' bits and fields.
constexpr unsigned is_response = 0x8000, operation = 0x7800, is_truncated = 0x0200, recursion_desired = 0x0100,
                   response_code = 0x000f;
constexpr unsigned name_error = 3; // NXDOMAIN

// A name has 127 labels at most, so this many jumps make one that is meant to keep its reader busy.
constexpr int most_jumps = 127;
// More aliases in a row than any sane zone has: a chain this long is a loop.
constexpr int most_aliases = 16;
// Two names and five numbers.
constexpr std::size_t least_soa = 2 + 5 * 4;
// Of one answer. The rest of a longer one is left out.
constexpr std::size_t most_addresses = 256;

// No answer is believed for longer than this; that there is nothing, for less (RFC 2308, section 5).
constexpr std::uint32_t longest_time = 24 * 60 * 60, longest_negative_time = 60 * 60;

constexpr std::uint8_t lower(std::uint8_t c) {
  return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c - 'A' + 'a') : c;
}

constexpr bool may_be_in_host_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

constexpr std::uint16_t load16(const std::uint8_t* at) { return static_cast<std::uint16_t>(at[0] << 8 | at[1]); }
constexpr std::uint32_t load32(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(load16(at)) << 16 | load16(at + 2);
}

struct Record {
  Name owner;
  std::uint16_t type = 0;
  std::uint16_t record_class = 0;
  std::uint32_t time_to_live = 0;
  std::size_t data = 0; // where they are in the message
  std::size_t size = 0;

  bool is(Type wanted) const { return record_class == internet && type == static_cast<std::uint16_t>(wanted); }
};

/// Reads a message from a place on. The first read beyond the end, or of a name that is none, fails, as do all after
/// it.
class Reader {
 public:
  Reader(std::span<const std::uint8_t> message, std::size_t position) : message_(message), position_(position) {}

  bool failed() const { return failed_; }
  std::size_t position() const { return position_; }

  std::uint16_t number16() {
    const std::uint8_t* at = take(2);
    return at ? load16(at) : 0;
  }
  std::uint32_t number32() {
    const std::uint8_t* at = take(4);
    return at ? load32(at) : 0;
  }

  /// A name may end in a pointer to the rest of another one before it. Each part has to lie before the one that leads
  /// to it, so that no name goes round in circles.
  Name name() {
    Name result;
    std::size_t part = position_; // where the part that is read begins
    std::size_t at = position_;
    int jumps = 0;
    for (;;) {
      if (at >= message_.size()) return fail();
      const std::size_t length = message_[at];
      if (length == 0) break;
      if (length <= longest_label) {
        if (at + 1 + length > message_.size()) return fail();
        if (!result.append(message_.subspan(at + 1, length))) return fail();
        at += 1 + length;
        continue;
      }
      if (length < 0xc0 || at + 2 > message_.size()) return fail();
      const std::size_t target = load16(&message_[at]) & 0x3fffu;
      if (target >= part || jumps == most_jumps) return fail();
      if (jumps++ == 0) position_ = at + 2;
      part = at = target;
    }
    if (jumps == 0) position_ = at + 1;
    return failed_ ? Name() : result;
  }

  Record record() {
    Record result;
    result.owner = name();
    result.type = number16();
    result.record_class = number16();
    result.time_to_live = number32();
    if (result.time_to_live > 0x7fffffff) result.time_to_live = 0; // RFC 2181, section 8
    result.size = number16();
    result.data = position_;
    take(result.size);
    return result;
  }

 private:
  const std::uint8_t* take(std::size_t size) {
    if (failed_ || size > message_.size() - position_) {
      failed_ = true;
      return nullptr;
    }
    const std::uint8_t* at = message_.data() + position_;
    position_ += size;
    return at;
  }
  Name fail() {
    failed_ = true;
    return {};
  }

  std::span<const std::uint8_t> message_;
  std::size_t position_;
  bool failed_ = false;
};

/// The records of an answer, in the message where they are.
class Records {
 public:
  Records(std::span<const std::uint8_t> message, std::size_t begin, unsigned answers, unsigned authorities)
      : message_(message), begin_(begin), answers_(answers), authorities_(authorities) {}

  /// Calls visit(record) for each record of the section, and returns false as soon as that does, or when the message
  /// ends within one.
  template <class Visit> bool each_answer(Visit visit) const {
    Reader reader(message_, begin_);
    return each(reader, answers_, visit);
  }
  template <class Visit> bool each_authority(Visit visit) const {
    Reader reader(message_, begin_);
    return each(reader, answers_, [](const Record&) { return true; }) && each(reader, authorities_, visit);
  }

  bool well_formed() const {
    return each_authority([](const Record&) { return true; });
  }

  /// The name that the record has as its data.
  std::optional<Name> alias(const Record& record) const {
    Reader reader(message_, record.data);
    const Name name = reader.name();
    if (reader.failed() || reader.position() != record.data + record.size) return {};
    return name;
  }

  const std::uint8_t* data(const Record& record) const { return message_.data() + record.data; }

  /// For how long it holds that there is nothing: as the zone's SOA record says (RFC 2308). Not at all without one.
  std::uint32_t negative_time_to_live() const {
    std::uint32_t result = 0;
    each_authority([&](const Record& record) {
      if (!record.is(Type::soa) || record.size < least_soa) return true;
      const std::uint32_t minimum = load32(data(record) + record.size - 4); // its last field
      result = std::min({record.time_to_live, minimum, longest_negative_time});
      return false;
    });
    return result;
  }

 private:
  template <class Visit> static bool each(Reader& reader, unsigned count, Visit visit) {
    for (; count != 0; --count) {
      const Record record = reader.record();
      if (reader.failed() || !visit(record)) return false;
    }
    return true;
  }

  std::span<const std::uint8_t> message_;
  std::size_t begin_;
  unsigned answers_;
  unsigned authorities_;
};

/// Follows the aliases (CNAME) from the question's name to the one that has addresses, whatever the records' order.
std::optional<Answer> follow(const Records& records, const Question& question) {
  const std::size_t size = question.type == Type::a ? 4 : 16;
  Answer answer{Outcome::addresses, longest_time};
  Name name = question.name;
  for (int aliases = 0; aliases <= most_aliases; ++aliases) {
    bool malformed = false;
    std::optional<Name> next;
    records.each_answer([&](const Record& record) {
      if (!(record.owner == name)) return true;
      if (record.is(question.type)) {
        malformed |= record.size != size;
        if (malformed || answer.addresses.size() == most_addresses) return false;
        std::copy_n(records.data(record), size, answer.addresses.emplace_back(AddressBytes{}).begin());
      } else if (record.is(Type::cname)) {
        next = records.alias(record);
        malformed |= !next;
      } else {
        return true;
      }
      answer.time_to_live = std::min(answer.time_to_live, record.time_to_live);
      return !malformed;
    });
    if (malformed) return {};
    if (!answer.addresses.empty()) return answer;
    if (!next) return Answer{Outcome::no_address, std::min(answer.time_to_live, records.negative_time_to_live())};
    name = *next;
  }
  return {};
}

} // namespace

Result<Name> Name::parse(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  Name name;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('.'), text.size());
    const std::string_view label = text.substr(0, end);
    if (!std::all_of(label.begin(), label.end(), may_be_in_host_name)) return Errc::invalid_argument;
    if (!name.append({reinterpret_cast<const std::uint8_t*>(label.data()), label.size()}))
      return Errc::invalid_argument;
    text.remove_prefix(end);
    if (text == ".") return Errc::invalid_argument; // two at the end
    if (!text.empty()) text.remove_prefix(1);
  }
  if (name.size_ == 1) return Errc::invalid_argument;
  return name;
}

std::optional<Name> Name::below(const Name& parent) const {
  Name result = *this;
  for (std::size_t at = 0; parent.bytes_[at] != 0; at += 1u + parent.bytes_[at])
    if (!result.append(parent.bytes().subspan(at + 1, parent.bytes_[at]))) return {};
  return result;
}

bool Name::append(std::span<const std::uint8_t> label) {
  if (label.empty() || label.size() > longest_label || size_ + 1 + label.size() > bytes_.size()) return false;
  std::uint8_t* to = bytes_.data() + size_ - 1; // in place of the 0 at the end
  *to++ = static_cast<std::uint8_t>(label.size());
  to = std::transform(label.begin(), label.end(), to, lower);
  *to = 0;
  size_ = static_cast<std::uint8_t>(size_ + 1 + label.size());
  return true;
}

bool operator==(const Name& a, const Name& b) {
  return std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(), b.bytes().end());
}

std::span<const std::uint8_t> write_question(std::span<std::uint8_t, largest_question> buffer, std::uint16_t id,
                                             const Question& question) {
  std::uint8_t* to = buffer.data();
  const auto put = [&](unsigned number) {
    *to++ = static_cast<std::uint8_t>(number >> 8);
    *to++ = static_cast<std::uint8_t>(number);
  };
  put(id);
  put(recursion_desired);
  for (const unsigned count : {1, 0, 0, 0}) put(count); // one question, no records
  to = std::copy(question.name.bytes().begin(), question.name.bytes().end(), to);
  put(static_cast<unsigned>(question.type));
  put(internet);
  return {buffer.data(), to};
}

std::optional<Answer> read_answer(std::span<const std::uint8_t> message, std::uint16_t id, const Question& question) {
  Reader reader(message, 0);
  const unsigned its_id = reader.number16(), flags = reader.number16(), questions = reader.number16(),
                 answers = reader.number16(), authorities = reader.number16();
  if (reader.failed() || message.size() < header_size) return {};
  if (its_id != id || !(flags & is_response) || (flags & operation) || questions != 1) return {};

  Reader body(message, header_size);
  const Name name = body.name();
  const unsigned type = body.number16(), question_class = body.number16();
  if (body.failed() || !(name == question.name)) return {};
  if (type != static_cast<unsigned>(question.type) || question_class != internet) return {};

  if (flags & is_truncated) return Answer{Outcome::truncated};
  const Records records(message, body.position(), answers, authorities);
  if (!records.well_formed()) return {};
  switch (flags & response_code) {
  case 0: return follow(records, question);
  case name_error: return Answer{Outcome::no_such_name, records.negative_time_to_live()};
  default: return Answer{Outcome::failure};
  }
}

} // namespace rt::dns
