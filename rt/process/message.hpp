#pragma once
// Messages between a pool's processes: how functions, arguments and results become bytes and come back.
//
//   trivially copyable types     as they are
//   std::string, std::vector     the number of elements (64 bits), then these
//   std::pair, std::tuple        their members, one after the other
//   Result                       the error's code (32 bits), 0 before a value
//
// The processes are clones of one, so a function or anything else that lies in the program's file has the same address
// in all of them. A pointer to what was made later means nothing to the others.

#include <rt/base/result.hpp>
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

template <class T> struct Codec {
  static_assert(std::is_trivially_copyable_v<T>,
                "functions, arguments and results of a pool's tasks have to be trivially copyable, or std::string, "
                "std::vector, std::pair or std::tuple of such; a lambda is if all that it captures is");

  static std::size_t size(const T&) { return sizeof(T); }
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

  static std::size_t size(const Sequence& sequence) {
    std::size_t size = sizeof(std::uint64_t);
    if constexpr (plain)
      size += sequence.size() * sizeof(T);
    else
      for (const T& each : sequence) size += Codec<T>::size(each);
    return size;
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
  static std::size_t size(const std::tuple<T...>& members) {
    return std::apply([](const T&... each) { return (std::size_t{0} + ... + Codec<T>::size(each)); }, members);
  }
  static std::byte* write(std::byte* to, const std::tuple<T...>& members) {
    std::apply([&](const T&... each) { ((to = Codec<T>::write(to, each)), ...); }, members);
    return to;
  }
  static std::tuple<T...> read(Incoming& from) { return std::tuple<T...>{Codec<T>::read(from)...}; }
};
template <class A, class B> struct Codec<std::pair<A, B>> {
  static std::size_t size(const std::pair<A, B>& pair) {
    return Codec<A>::size(pair.first) + Codec<B>::size(pair.second);
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
  static std::size_t size(const Result<void>&) { return sizeof(Errc); }
  static std::byte* write(std::byte* to, const Result<void>& result) {
    return Codec<Errc>::write(to, result.error().code);
  }
  static Result<void> read(Incoming& from) { return Codec<Errc>::read(from); }
};
template <class T> struct Codec<Result<T>> {
  static std::size_t size(const Result<T>& result) { return sizeof(Errc) + (result ? Codec<T>::size(*result) : 0); }
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

/// What an argument is on its way: a view of text becomes a text.
template <class T>
using Sent = std::conditional_t<std::is_same_v<std::decay_t<T>, std::string_view>, std::string, std::decay_t<T>>;

/// Writes a message of these values, one after the other. not_enough_memory: the pool's shared memory is full.
template <class... T> Errc write_message(Outgoing& out, const T&... values) {
  [[maybe_unused]] std::byte* to = out.begin((std::size_t{0} + ... + Codec<T>::size(values)));
  if (!to) return Errc::not_enough_memory;
  ((to = Codec<T>::write(to, values)), ...);
  return Errc::none;
}

} // namespace rt::pooling
