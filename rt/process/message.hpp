#pragma once
// Messages between a pool's processes: how functions, arguments and results become bytes and come back.
//
//   trivially copyable types     as they are
//   std::string, std::vector     the number of elements (64 bits), then these
//   std::pair, std::tuple        their members, one after the other
//   Result                       the error's code (32 bits), 0 before a value
//   Value                        the number of bytes (64 bits), then its CBOR
//
// The processes are clones of one, so a function or anything else that lies in the program's file has the same address
// in all of them. A pointer to what was made later means nothing to the others.

#include <rt/base/result.hpp>
#include <rt/process/cbor.hpp>
#include <rt/process/shared_pages.hpp>
#include <rt/process/task_ring.hpp>

#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace rt::pooling {

/// The bytes of a message, to be read from the front.
class Incoming {
 public:
  Incoming() = default;
  Incoming(const std::byte* begin, std::size_t size) : at_(begin), left_(size) {}

  /// The next bytes, uninterpreted.
  const std::byte* take(std::size_t size) {
    left_ -= size;
    return std::exchange(at_, at_ + size);
  }
  std::size_t left() const { return left_; }

 private:
  const std::byte* at_ = nullptr;
  std::size_t left_ = 0;
};

/// Where one message is to be written: in its slot, or in pages if it is larger.
class Outgoing {
 public:
  Outgoing(Slot& slot, SharedPages& pages, std::uint32_t owner) : slot_(slot), pages_(pages), owner_(owner) {}

  /// Room for so many bytes; nullptr: there is none. To be called once.
  std::byte* begin(std::size_t size) {
    slot_.size = size;
    if (size <= Slot::inline_size) return slot_.data;
    const auto first = pages_.allocate(size, owner_);
    if (!first) {
      slot_.size = 0;
      return nullptr;
    }
    slot_.pages = *first;
    return pages_.at(*first);
  }

 private:
  Slot& slot_;
  SharedPages& pages_;
  std::uint32_t owner_;
};

/// How many bytes a message needs, or why it cannot be made.
struct Size {
  std::size_t bytes = 0;
  Errc error = Errc::none;
};

template <class T> struct Codec {
  static_assert(std::is_trivially_copyable_v<T>,
                "functions, arguments and results of a pool's tasks have to be trivially copyable, or std::string, "
                "std::vector, std::pair or std::tuple of such, or Value; a lambda is if all that it captures is");

  static void measure(const T&, Size& size) { size.bytes += sizeof(T); }
  static std::byte* write(std::byte* to, const T& value) {
    std::memcpy(to, &value, sizeof(T));
    return to + sizeof(T);
  }
  static T read(Incoming& from) {
    std::array<std::byte, sizeof(T)> bytes;
    std::memcpy(bytes.data(), from.take(sizeof(T)), sizeof(T));
    return std::bit_cast<T>(bytes);
  }
};

template <class Sequence> struct SequenceCodec {
  using T = typename Sequence::value_type;
  static constexpr bool plain = std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool>;

  static void measure(const Sequence& sequence, Size& size) {
    size.bytes += sizeof(std::uint64_t);
    if constexpr (plain)
      size.bytes += sequence.size() * sizeof(T);
    else
      for (const T& each : sequence) Codec<T>::measure(each, size);
  }
  static std::byte* write(std::byte* to, const Sequence& sequence) {
    to = Codec<std::uint64_t>::write(to, sequence.size());
    if constexpr (plain) {
      if (!sequence.empty()) std::memcpy(to, sequence.data(), sequence.size() * sizeof(T));
      return to + sequence.size() * sizeof(T);
    } else {
      for (const T& each : sequence) to = Codec<T>::write(to, each);
      return to;
    }
  }
  static Sequence read(Incoming& from) {
    const std::size_t count = Codec<std::uint64_t>::read(from);
    Sequence sequence;
    if constexpr (plain && std::is_default_constructible_v<T>) {
      sequence.resize(count);
      const std::byte* const bytes = from.take(count * sizeof(T));
      if (count != 0) std::memcpy(sequence.data(), bytes, count * sizeof(T));
    } else {
      sequence.reserve(count);
      for (std::size_t i = 0; i < count; ++i) sequence.push_back(Codec<T>::read(from));
    }
    return sequence;
  }
};
template <> struct Codec<std::string> : SequenceCodec<std::string> {};
template <class T> struct Codec<std::vector<T>> : SequenceCodec<std::vector<T>> {};

template <class... T> struct Codec<std::tuple<T...>> {
  static void measure(const std::tuple<T...>& members, Size& size) {
    std::apply([&](const T&... each) { (Codec<T>::measure(each, size), ...); }, members);
  }
  static std::byte* write(std::byte* to, const std::tuple<T...>& members) {
    std::apply([&](const T&... each) { ((to = Codec<T>::write(to, each)), ...); }, members);
    return to;
  }
  static std::tuple<T...> read(Incoming& from) { return std::tuple<T...>{Codec<T>::read(from)...}; }
};
template <class A, class B> struct Codec<std::pair<A, B>> {
  static void measure(const std::pair<A, B>& pair, Size& size) {
    Codec<A>::measure(pair.first, size);
    Codec<B>::measure(pair.second, size);
  }
  static std::byte* write(std::byte* to, const std::pair<A, B>& pair) {
    return Codec<B>::write(Codec<A>::write(to, pair.first), pair.second);
  }
  static std::pair<A, B> read(Incoming& from) {
    A first = Codec<A>::read(from);
    return {std::move(first), Codec<B>::read(from)};
  }
};

template <> struct Codec<Result<void>> {
  static void measure(const Result<void>&, Size& size) { size.bytes += sizeof(Errc); }
  static std::byte* write(std::byte* to, const Result<void>& result) {
    return Codec<Errc>::write(to, result.error().code);
  }
  static Result<void> read(Incoming& from) { return Codec<Errc>::read(from); }
};
template <class T> struct Codec<Result<T>> {
  static void measure(const Result<T>& result, Size& size) {
    size.bytes += sizeof(Errc);
    if (result) Codec<T>::measure(*result, size);
  }
  static std::byte* write(std::byte* to, const Result<T>& result) {
    to = Codec<Errc>::write(to, result.error().code);
    return result ? Codec<T>::write(to, *result) : to;
  }
  static Result<T> read(Incoming& from) {
    const Errc code = Codec<Errc>::read(from);
    if (code != Errc::none) return code;
    return Codec<T>::read(from);
  }
};

template <> struct Codec<Value> {
  static void measure(const Value& value, Size& size) {
    const auto encoded = cbor::encode(value);
    if (encoded)
      size.bytes += sizeof(std::uint64_t) + encoded->size();
    else
      size.error = encoded.error().code;
  }
  static std::byte* write(std::byte* to, const Value& value) {
    return Codec<std::string>::write(to, cbor::encode(value).value()); // as it was when it was measured
  }
  static Value read(Incoming& from) {
    const std::size_t size = Codec<std::uint64_t>::read(from);
    return cbor::decode({reinterpret_cast<const char*>(from.take(size)), size}).value();
  }
};

/// What an argument is on its way: a view of text becomes a text.
template <class T>
using Sent = std::conditional_t<std::is_same_v<std::decay_t<T>, std::string_view>, std::string, std::decay_t<T>>;

/// Room for a message that has been measured. not_enough_memory: the pool's shared memory is full.
inline Errc begin_message(Outgoing& out, const Size& size, std::byte*& begin) {
  if (size.error != Errc::none) return size.error;
  begin = out.begin(size.bytes);
  return begin ? Errc::none : Errc::not_enough_memory;
}

/// Writes a message of these values, one after the other. Errors of begin_message; those of encoding a Value.
template <class... T> Errc write_message(Outgoing& out, const T&... values) {
  Size size;
  (Codec<T>::measure(values, size), ...);
  std::byte* to;
  if (const Errc error = begin_message(out, size, to); error != Errc::none) return error;
  ((to = Codec<T>::write(to, values)), ...);
  return Errc::none;
}

} // namespace rt::pooling
