#include "sync_test.hpp"

#include <rt/base/futex_lock.hpp>
#include <rt/memory/heap.hpp>

#include <doctest/doctest.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace {

using rt::heap::allocate;
using rt::heap::deallocate;

constexpr std::size_t kib = 1024, mib = 1024 * kib;

bool is_aligned(const void* block, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(block) % alignment == 0;
}

/// A block whose contents are known: all bytes of small ones, the ends of larger ones and a byte in each page.
struct Filled {
  unsigned char* bytes = nullptr;
  std::size_t size = 0;
  unsigned char seed = 0;

  template <class F> void for_each(F visit) const {
    const std::size_t head = size < 4096 ? size : 64;
    for (std::size_t i = 0; i < head; ++i) visit(i);
    for (std::size_t i = head; i < size; i += 4096) visit(i);
    if (size) visit(size - 1);
  }
  unsigned char expected(std::size_t i) const { return static_cast<unsigned char>(seed + i * 31); }

  static Filled make(std::size_t size, std::size_t alignment, unsigned char seed) {
    Filled result{static_cast<unsigned char*>(allocate(size, alignment)), size, seed};
    if (result.bytes) result.for_each([&](std::size_t i) { result.bytes[i] = result.expected(i); });
    return result;
  }
  bool intact() const {
    bool same = true;
    for_each([&](std::size_t i) { same &= bytes[i] == expected(i); });
    return same;
  }
  void free() {
    deallocate(bytes);
    bytes = nullptr;
  }
};

/// A thread that gives its slabs back at its end, as rt::Thread does.
template <class F> std::thread worker(F body) {
  return std::thread([body]() mutable {
    body();
    rt::heap::release_thread_cache();
  });
}

/// Pages of the range that have memory behind them.
std::size_t resident_pages(const void* block, std::size_t size) {
  const auto begin = reinterpret_cast<std::uintptr_t>(block) & ~std::uintptr_t{4095};
  const auto end = (reinterpret_cast<std::uintptr_t>(block) + size + 4095) & ~std::uintptr_t{4095};
  std::size_t count = 0;
  for (std::uintptr_t page = begin; page < end; page += 4096) {
    unsigned char resident = 0;
    if (mincore(reinterpret_cast<void*>(page), 4096, &resident) == 0) count += resident & 1;
  }
  return count;
}

} // namespace

TEST_CASE("a block has the size and the alignment that were asked for") {
  bool right = true;
  for (std::size_t alignment = 1; alignment <= 16 * mib; alignment *= 2) {
    for (std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{16}, std::size_t{17}, 3 * alignment / 2, 150 * alignment / 128,
          std::size_t{1000}, 32 * kib - 1, 32 * kib, 32 * kib + 1, 2 * mib, 2 * mib + 1}) {
      Filled block = Filled::make(size, alignment, 7);
      right &= block.bytes && is_aligned(block.bytes, alignment) && is_aligned(block.bytes, 16) && block.intact();
      right &= rt::heap::usable_size(block.bytes) >= size;
      block.free();
    }
  }
  CHECK(right);
}

TEST_CASE("blocks of every small size lie apart and waste at most a fifth") {
  bool right = true;
  for (std::size_t size = 1; size <= 32 * kib; size += size < 2048 ? 1 : 61) {
    auto* first = static_cast<char*>(allocate(size));
    auto* second = static_cast<char*>(allocate(size));
    const std::size_t distance = static_cast<std::size_t>(first < second ? second - first : first - second);
    const std::size_t usable = rt::heap::usable_size(first);
    right &= usable >= size && distance >= usable && (size < 64 || usable <= size + size / 4 + 1);
    std::memset(first, 1, usable);
    std::memset(second, 2, usable);
    right &= first[usable - 1] == 1;
    deallocate(first);
    deallocate(second);
  }
  CHECK(right);
}

TEST_CASE("blocks keep their contents while others come and go") {
  std::mt19937 random(42);
  std::vector<Filled> blocks(500);
  int damaged = 0, failed = 0;
  for (int step = 0; step < 60'000; ++step) {
    Filled& block = blocks[random() % blocks.size()];
    if (block.bytes) {
      damaged += !block.intact();
      block.free();
    }
    // Mostly small sizes, now and then up to 64 MiB; mostly without a particular alignment.
    const unsigned bits = random() % 100 < 97 ? 1 + random() % 12 : random() % 1000 ? 13 + random() % 9 : 26;
    const std::size_t size = random() % (std::size_t{1} << bits) + 1;
    const std::size_t alignment = random() % 10 ? 16 : std::size_t{1} << random() % (random() % 50 ? 13 : 21);
    block = Filled::make(size, alignment, static_cast<unsigned char>(step));
    failed += !block.bytes || !is_aligned(block.bytes, alignment);
  }
  for (Filled& block : blocks) {
    damaged += block.bytes && !block.intact();
    block.free();
  }
  CHECK(damaged == 0);
  CHECK(failed == 0);
}

TEST_CASE("freeing nullptr does nothing") { deallocate(nullptr); }

TEST_CASE("a size that no memory could hold gives nullptr or not_enough_memory") {
  for (std::size_t size :
       {SIZE_MAX, SIZE_MAX - 4 * kib, SIZE_MAX - 8 * mib, SIZE_MAX / 2, std::size_t{1} << 60, std::size_t{1} << 47}) {
    for (std::size_t alignment : {std::size_t{1}, std::size_t{16}, 64 * kib, 4 * mib, std::size_t{1} << 62}) {
      CHECK(allocate(size, alignment) == nullptr);
      CHECK(rt::heap::try_allocate(size, alignment).error() == rt::Errc::not_enough_memory);
    }
  }
  CHECK(allocate(16, std::size_t{1} << 62) == nullptr);
  auto some = rt::heap::try_allocate(100);
  CHECK(some.ok());
  deallocate(some.value());
}

TEST_CASE("when the kernel has no more memory, allocation fails and works again after a free") {
  const auto end = sync_test::in_child([] {
    const auto fail = [](const char* what) { return std::fputs(what, stderr), false; };
    long pages = 0;
    if (FILE* statm = std::fopen("/proc/self/statm", "r")) {
      if (std::fscanf(statm, "%ld", &pages) != 1) return fail("statm cannot be read");
      std::fclose(statm);
    }
    const rlimit limit{static_cast<rlim_t>(pages) * 4096 + 256 * mib, RLIM_INFINITY};
    if (setrlimit(RLIMIT_AS, &limit) != 0) return fail("there can be no limit");
    for (std::size_t size : {std::size_t{100}, 5 * kib, 100 * kib, 3 * mib}) {
      void** chain = nullptr; // the blocks themselves, so that the test needs no other memory
      std::size_t count = 0;
      while (void* block = allocate(size)) {
        *static_cast<void**>(block) = chain;
        chain = static_cast<void**>(block);
        ++count;
      }
      if (count * size < 64 * mib) return fail("it gives up too early");
      if (count * size > 256 * mib) return fail("it has more than there is");
      if (rt::heap::try_allocate(300 * mib).error() != rt::Errc::not_enough_memory)
        return fail("there is room for 300 MiB");
      while (chain) {
        void* block = chain;
        chain = static_cast<void**>(*chain);
        deallocate(block);
      }
      void* again = allocate(size);
      if (!again) return fail("what was freed is not used again");
      deallocate(again);
    }
    return true;
  });
  CHECK_MESSAGE(end.exited_with(0), end.output);
}

TEST_CASE("memory goes back to the kernel when the thread that allocated it frees it") {
  for (std::size_t size : {std::size_t{64}, 1 * kib, 20 * kib, 200 * kib, 5 * mib}) {
    CAPTURE(size);
    const std::size_t count = 64 * mib / size;
    std::vector<char*> blocks;
    for (std::size_t i = 0; i < count; ++i) {
      blocks.push_back(static_cast<char*>(allocate(size)));
      std::memset(blocks.back(), 1, size);
    }
    std::vector<char*> sample;
    for (std::size_t i = 0; i < count; i += 1 + count / 500) sample.push_back(blocks[i]);
    auto resident = [&] {
      std::size_t pages = 0;
      for (char* block : sample) pages += resident_pages(block, 1);
      return pages;
    };
    const rt::heap::Statistics before = rt::heap::statistics();
    CHECK(before.in_use >= 64 * mib - size);
    CHECK(before.mapped >= before.in_use);
    CHECK(resident() == sample.size());
    for (char* block : blocks) deallocate(block);
    const rt::heap::Statistics after = rt::heap::statistics();
    CHECK(resident() <= sample.size() / 8);
    CHECK(after.in_use <= before.in_use - (64 * mib - size));
    CHECK(after.warm <= 4 * mib + after.in_use / 4 + 1 * mib);
    CHECK(after.mapped < before.mapped);
  }
}

TEST_CASE("memory goes back to the kernel when another thread frees it and the first does nothing more") {
  const std::size_t size = 200, count = 64 * mib / size;
  std::vector<char*> blocks;
  for (std::size_t i = 0; i < count; ++i) blocks.push_back(static_cast<char*>(allocate(size)));
  for (char* block : blocks) std::memset(block, 1, size);
  std::size_t resident = 0;
  worker([&] {
    for (char* block : blocks) deallocate(block);
    for (std::size_t i = 0; i < count; i += 500) resident += resident_pages(blocks[i], 1);
  }).join();
  CHECK(resident <= count / 500 / 8);
}

TEST_CASE("blocks that are passed from thread to thread arrive intact") {
  constexpr std::size_t capacity = 256, items = 40'000;
  struct Channel {
    rt::FutexLock lock;
    std::vector<Filled> blocks;
  };
  Channel channels[2];
  std::atomic<int> producing = 2;
  std::atomic<std::size_t> received = 0, damaged = 0;
  std::vector<std::thread> threads;
  for (int n = 0; n < 2; ++n) {
    threads.push_back(worker([&, n] {
      std::mt19937 random(static_cast<unsigned>(n));
      for (std::size_t sent = 0; sent < items;) {
        Channel& channel = channels[random() % 2];
        const std::size_t limit = random() % 64 ? 512 : 40 * kib;
        Filled block = Filled::make(1 + random() % limit, 16, static_cast<unsigned char>(sent));
        std::unique_lock guard(channel.lock);
        if (channel.blocks.size() < capacity) {
          channel.blocks.push_back(block);
          ++sent;
        } else {
          guard.unlock();
          block.free();
          std::this_thread::yield();
        }
      }
      --producing;
    }));
    threads.push_back(worker([&, n] {
      std::vector<Filled> taken;
      for (bool last = false; !last;) {
        last = producing == 0;
        {
          std::lock_guard guard(channels[n].lock);
          taken.swap(channels[n].blocks);
        }
        if (taken.empty()) std::this_thread::yield();
        for (Filled& block : taken) {
          damaged += !block.intact();
          block.free();
          ++received;
        }
        taken.clear();
      }
    }));
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(received == 2 * items);
  CHECK(damaged == 0);
}

TEST_CASE("four threads that free each other's blocks at random do not disturb one another") {
  constexpr std::size_t places = 1024;
  auto shared = std::make_unique<std::atomic<std::uintptr_t>[]>(places);
  std::atomic<std::size_t> damaged = 0;
  std::vector<std::thread> threads;
  // Each block starts with its size and a number that depends on it; whoever takes it out of its place checks that.
  auto check_and_free = [&](std::uintptr_t address) {
    if (!address) return;
    auto* words = reinterpret_cast<std::uint64_t*>(address);
    const std::uint64_t size = words[0];
    damaged += words[1] != size * 0x9e3779b97f4a7c15 || words[size / 8 - 1] != (size == 16 ? words[1] : size);
    deallocate(words);
  };
  for (unsigned n = 0; n < 4; ++n) {
    threads.push_back(worker([&, n] {
      std::mt19937 random(n);
      for (int step = 0; step < 60'000; ++step) {
        const std::size_t size = random() % 100 ? 16 + random() % 64 * 8
                                 : random() % 8 ? 16 + random() % 4096 * 8
                                                : 100 * kib;
        auto* words = static_cast<std::uint64_t*>(allocate(size));
        words[size / 8 - 1] = size;
        words[0] = size;
        words[1] = size * 0x9e3779b97f4a7c15;
        if (size == 24) words[2] = size;
        check_and_free(shared[random() % places].exchange(reinterpret_cast<std::uintptr_t>(words)));
      }
    }));
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < places; ++i) check_and_free(shared[i].load());
  CHECK(damaged == 0);
}

TEST_CASE("blocks outlive the thread that allocated them, and its slabs serve other threads") {
  const rt::heap::Statistics before = rt::heap::statistics();
  std::vector<Filled> blocks;
  for (int round = 0; round < 50; ++round) {
    worker([&] {
      std::vector<Filled> own;
      for (std::size_t i = 0; i < 400; ++i)
        own.push_back(Filled::make(16 + i * 37 % 3000, 16, static_cast<unsigned char>(i)));
      for (std::size_t i = 0; i < own.size(); ++i) {
        if (i % 8 == 0)
          blocks.push_back(own[i]);
        else
          own[i].free();
      }
    }).join();
  }
  // 50 threads had some 30 slabs each; nearly all of the later ones' came from the earlier ones.
  CHECK(rt::heap::statistics().mapped <= before.mapped + 16 * mib);
  bool intact = true;
  for (Filled& block : blocks) {
    intact &= block.intact();
    block.free();
  }
  CHECK(intact);
  CHECK(rt::heap::statistics().in_use <= before.in_use);
}

TEST_CASE("a thread may free and allocate after it has released its cache") {
  const std::size_t before = rt::heap::statistics().in_use;
  std::thread([] {
    std::vector<Filled> blocks;
    for (int round = 0; round < 2; ++round) {
      for (std::size_t i = 0; i < 3000; ++i) blocks.push_back(Filled::make(100, 16, 1));
      for (std::size_t i = 0; i < 300; ++i) blocks.push_back(Filled::make(30 * kib, 16, 1));
      rt::heap::release_thread_cache();
      for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i].free();
      blocks.clear();
      Filled late = Filled::make(50, 16, 2);
      Filled late_aligned = Filled::make(50, 256, 2);
      late.free();
      late_aligned.free();
    }
  }).join();
  CHECK(rt::heap::statistics().in_use <= before);
}

TEST_CASE("a thread that only frees does not hoard what it does not use") {
  // One thread allocates, another frees nine of ten; the survivors keep their slabs alive. Without giving surplus
  // slabs to others the heap would grow to ten times what is in use.
  constexpr std::size_t size = 256, generation = 40'000;
  const std::size_t in_use = rt::heap::statistics().in_use, mapped = rt::heap::statistics().mapped;
  std::vector<void*> blocks, survivors;
  std::atomic<int> turn = 0;
  constexpr int rounds = 20;
  std::thread consumer = worker([&] {
    for (int round = 0; round < rounds; ++round) {
      while (turn.load() != 2 * round + 1) std::this_thread::yield();
      for (std::size_t i = 0; i < blocks.size(); ++i) {
        if (i % 10 == 0)
          survivors.push_back(blocks[i]);
        else
          deallocate(blocks[i]);
      }
      turn = 2 * round + 2;
    }
  });
  for (int round = 0; round < rounds; ++round) {
    blocks.clear();
    for (std::size_t i = 0; i < generation; ++i) blocks.push_back(allocate(size));
    turn = 2 * round + 1;
    while (turn.load() != 2 * round + 2) std::this_thread::yield();
  }
  const std::size_t live = rt::heap::statistics().in_use - in_use, grown = rt::heap::statistics().mapped - mapped;
  consumer.join();
  CHECK(grown < 3 * live);
  for (void* block : survivors) deallocate(block);
}

TEST_CASE("a child that was cloned under the heap's locks can use its heap") {
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (unsigned n = 0; n < 2; ++n) {
    threads.push_back(worker([&, n] {
      std::mt19937 random(n);
      std::vector<void*> blocks(200);
      while (!stop.load()) {
        void*& block = blocks[random() % blocks.size()];
        deallocate(block);
        block = allocate(1 + random() % (100 * kib));
      }
      for (void* block : blocks) deallocate(block);
    }));
  }
  std::vector<Filled> blocks;
  for (std::size_t i = 0; i < 500; ++i)
    blocks.push_back(Filled::make(1 + i * i % 50'000, 16, static_cast<unsigned char>(i)));
  int good = 0;
  for (int round = 0; round < 20; ++round) {
    rt::heap::lock_all();
    const pid_t child = fork();
    rt::heap::unlock_all();
    if (child == 0) {
      alarm(30);
      bool intact = true;
      for (Filled& block : blocks) {
        intact &= block.intact();
        block.free();
      }
      for (std::size_t i = 0; i < 2000; ++i) {
        Filled block = Filled::make(1 + i * 97 % 70'000, 16, static_cast<unsigned char>(i));
        intact &= block.bytes && block.intact();
        if (i % 2) block.free();
      }
      _exit(intact ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    good += status == 0;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 20);
  for (Filled& block : blocks) block.free();
}
