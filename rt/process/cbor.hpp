#pragma once
// CBOR (RFC 8949): how Values travel. Any language's library for it can talk to a pipe or a manager.
//
// Encoded is deterministically (section 4.2.1): each number in the fewest bytes that keep it, floating point as such
// but as short as it keeps the value, lengths in front, keys in the order of their bytes. Equal values have equal
// encodings, whatever the order in which their keys were added.
//
// Decoded is everything that fits into a Value, however it was encoded: longer numbers than needed, strings, lists and
// maps of indefinite length, keys in any order. Their order in the map is that in which they come. What has no place in
// a Value is refused by name rather than changed: integers beyond 64 bits with sign, tags, undefined and other simple
// values. Input may come from anybody: nothing is allocated for what a length claims before it is there.

#include <rt/process/value.hpp>

namespace rt::cbor {

/// Appends the encoding. illegal_byte_sequence: a text is not UTF-8. value_too_large: deeper than Value::most_depth.
/// The buffer is as before then.
[[nodiscard]] Result<void> encode(const Value& value, std::string& buffer);
[[nodiscard]] Result<std::string> encode(const Value& value);

/// The value that the bytes are the encoding of, with nothing after it.
///
///   bad_message               not well-formed, cut off, followed by more, or with the same key twice in a map
///   illegal_byte_sequence     a text is not UTF-8
///   value_too_large           an integer needs more than 64 bits with sign, or deeper than Value::most_depth
///   operation_not_supported   tags, undefined and simple values without a meaning
[[nodiscard]] Result<Value> decode(std::string_view bytes);

} // namespace rt::cbor
