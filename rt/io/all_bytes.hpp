#pragma once
// From "some bytes" to "all of them": what read_exactly and write are made of, in whatever has read and write_some.

#include <rt/base/result.hpp>

#include <cstddef>
#include <span>

namespace rt {

/// Fills the buffer. end_of_file: there were fewer bytes; they are lost.
template <class Stream> Result<void> read_all_bytes(Stream& stream, std::span<char> buffer) {
  while (!buffer.empty()) {
    const Result<std::size_t> got = stream.read(buffer);
    if (!got) return got.error();
    if (*got == 0) return Errc::end_of_file;
    buffer = buffer.subspan(*got);
  }
  return {};
}

/// After an error some may have been written.
template <class Stream> Result<void> write_all_bytes(Stream& stream, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const Result<std::size_t> put = stream.write_some(bytes);
    if (!put) return put.error();
    bytes = bytes.subspan(*put);
  }
  return {};
}

} // namespace rt
