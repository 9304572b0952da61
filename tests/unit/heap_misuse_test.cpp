// Frees of what is no block, or no longer one: the program ends with a message that names the address.

#include "sync_test.hpp"

#include <rt/memory/heap.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdio>
#include <string>

using namespace sync_test;
using rt::heap::allocate, rt::heap::deallocate;

namespace {

constexpr std::size_t kib = 1024, mib = 1024 * kib;

std::string text(const void* address) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%p", address);
  return buffer;
}

} // namespace

TEST_CASE("the same block freed twice in a row is noticed in any build") {
  void* block = allocate(40);
  check_panics("double free of " + text(block) + " (48 bytes)", [&] {
    deallocate(block);
    deallocate(block);
  });
  deallocate(block);
}

#if RT_DEBUG

TEST_CASE("DEBUG: a block freed twice is noticed, whatever was freed in between") {
  for (std::size_t size : {std::size_t{32}, 20 * kib, 100 * kib}) {
    void* block = allocate(size);
    void* other = allocate(size);
    const std::string message =
        "double free of " + text(block) + " (" + std::to_string(rt::heap::usable_size(block)) + " bytes)";
    check_panics(message, [&] {
      deallocate(block);
      deallocate(other);
      deallocate(block);
    });
    check_panics(message, [&] {
      Running([&] { deallocate(block); }).join();
      deallocate(block);
    });
    deallocate(block);
    deallocate(other);
  }
  check_panics("or a double free", [] {
    void* large = allocate(5 * mib);
    deallocate(large);
    deallocate(large);
  });
}

TEST_CASE("DEBUG: the free of an address that is no block is noticed without following it") {
  int local = 0;
  static int global[4];
  for (void* address : {static_cast<void*>(&local), static_cast<void*>(&global[0]), reinterpret_cast<void*>(0x10),
                        reinterpret_cast<void*>(std::uintptr_t{3} << 40), reinterpret_cast<void*>(~std::uintptr_t{15}),
                        reinterpret_cast<void*>(4 * mib)}) {
    check_panics("free of " + text(address) + ", which the heap did not allocate", [&] { deallocate(address); });
  }
}

TEST_CASE("DEBUG: the free of an address inside a block names the block") {
  for (std::size_t size : {std::size_t{100}, 30 * kib, 1 * mib, 3 * mib}) {
    auto* block = static_cast<char*>(allocate(size));
    for (std::size_t offset : {std::size_t{1}, std::size_t{8}, std::size_t{16}, size / 2, size - 1}) {
      check_panics("free of " + text(block + offset) + ", which the heap did not allocate: it is inside the block " +
                       text(block),
                   [&] { deallocate(block + offset); });
    }
    deallocate(block);
  }
  // A block that has not been handed out yet, of a slab that has room for many.
  auto* block = static_cast<char*>(allocate(32 * kib));
  check_panics("which the heap did not allocate", [&] { deallocate(block - 64 * kib * 3 + 48); });
  deallocate(block);
}

TEST_CASE("DEBUG: new memory is filled with 0xcd and freed memory with 0xdd") {
  for (std::size_t size : {std::size_t{24}, 1 * kib, 100 * kib}) {
    auto* block = static_cast<volatile unsigned char*>(allocate(size));
    auto* neighbour = allocate(size); // keeps the slab
    CHECK(block[0] == 0xcd);
    CHECK(block[size - 1] == 0xcd);
    deallocate(const_cast<unsigned char*>(block));
    CHECK(block[size - 1] == 0xdd);
    deallocate(neighbour);
  }
}

#endif
