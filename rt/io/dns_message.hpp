#pragma once
// Messages of the domain name system (RFC 1035, 2308, 3596), as far as a stub resolver needs them: it asks a recursive
// server one question at a time and reads the answer. Pure functions on buffers.
//
//   header   id, flags, numbers of the records in each section             12 bytes
//   question name, type, class                                             one
//   answer   name, type, class, time to live, length, data                 the addresses, and the aliases on the way
//   authority the same                                                     a SOA record when there is nothing
//   additional the same                                                    not looked at
//
// What a server sends is not to be trusted, and neither is that a server has sent it. A message that is not well
// formed, or not the answer to the question, is none: the resolver goes on waiting for the right one.

#include <rt/base/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace rt::dns {

/// A domain name as it is in messages, uncompressed and in lower case: labels of 1 to 63 bytes, each after its length,
/// and a 0 at the end; 255 bytes at most.
class Name {
 public:
  /// The root.
  constexpr Name() = default;

  /// "www.example.com", with or without a full stop at the end. Labels are made of letters, digits, '-' and '_' (other
  /// alphabets come as IDNA's "xn--" forms). invalid_argument.
  static Result<Name> parse(std::string_view text);

  /// This name below another one: parse("www") and parse("example.com") make www.example.com. nullopt: that would be
  /// too long.
  std::optional<Name> below(const Name& parent) const;

  /// Adds a label at the end. False: the name would be too long, or the label is.
  bool append(std::span<const std::uint8_t> label);

  std::span<const std::uint8_t> bytes() const { return {bytes_.data(), size_}; }

  friend bool operator==(const Name& a, const Name& b);

 private:
  std::array<std::uint8_t, 255> bytes_ = {};
  std::uint8_t size_ = 1;
};

enum class Type : std::uint16_t { a = 1, cname = 5, soa = 6, aaaa = 28 };

struct Question {
  Name name;
  Type type = Type::a; ///< a or aaaa

  friend bool operator==(const Question&, const Question&) = default;
};

/// Header, the longest name, type and class.
inline constexpr std::size_t largest_question = 12 + 255 + 4;

/// Writes the message that asks the question, recursion desired, and returns its part of the buffer.
std::span<const std::uint8_t> write_question(std::span<std::uint8_t, largest_question> buffer, std::uint16_t id,
                                             const Question& question);

/// An IPv6 address, or in the first four bytes an IPv4 address, in network order.
using AddressBytes = std::array<std::uint8_t, 16>;

enum class Outcome : std::uint8_t {
  addresses,    ///< at least one
  no_address,   ///< the name is there, but has no address of this kind (NODATA)
  no_such_name, ///< NXDOMAIN
  failure,      ///< the server could not or would not tell (SERVFAIL, REFUSED…)
  truncated,    ///< the answer is too long for a datagram: ask over TCP
};

struct Answer {
  Outcome outcome = Outcome::failure;
  std::uint32_t time_to_live = 0; ///< seconds for which it may be kept; 0: not at all
  std::vector<AddressBytes> addresses = {};
};

/// What the message says about the question. nullopt: it is not well formed, or not the answer to this question that
/// was asked with this id.
std::optional<Answer> read_answer(std::span<const std::uint8_t> message, std::uint16_t id, const Question& question);

} // namespace rt::dns
