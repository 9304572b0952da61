#pragma once
// What sendmsg(2) and its relatives are given: structures and numbers that no header of the kernel exports.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace rt::kernel {

/// A part of what is sent or received: the kernel's struct iovec.
struct Piece {
  const void* data = nullptr;
  std::size_t size = 0;

  constexpr Piece() = default;
  constexpr Piece(std::string_view text) : data(text.data()), size(text.size()) {}
  constexpr Piece(std::span<const char> bytes) : data(bytes.data()), size(bytes.size()) {}
};

/// The kernel's struct user_msghdr.
struct Message {
  void* name = nullptr;
  std::int32_t name_size = 0;
  const Piece* pieces = nullptr;
  std::size_t piece_count = 0;
  void* control = nullptr;
  std::size_t control_size = 0;
  std::uint32_t flags = 0;
};

/// MSG_..., the same on all CPUs but mips, alpha, parisc and sparc.
namespace message_flag {
constexpr long peek = 0x2;
constexpr long control_lost = 0x8;         // CTRUNC
constexpr long real_size = 0x20;           // TRUNC
constexpr long do_not_wait = 0x40;         // DONTWAIT
constexpr long no_signal = 0x4000;         // NOSIGNAL: an error is enough, without SIGPIPE
constexpr long more_follows = 0x8000;      // MORE
constexpr long close_on_exec = 0x40000000; // CMSG_CLOEXEC
} // namespace message_flag

} // namespace rt::kernel
