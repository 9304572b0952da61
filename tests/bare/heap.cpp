// The heap under operator new, from several threads and with the containers of the C++ library.

#include "check.hpp"

#include <rt/memory/heap.hpp>
#include <rt/sync/event.hpp>
#include <rt/thread/thread.hpp>

#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <new>
#include <queue>
#include <string>
#include <vector>

RT_CASE("vector, deque, string, function, unique_ptr and priority_queue work") {
  std::vector<std::string> words;
  for (int i = 0; i < 1000; ++i) words.push_back(std::string(static_cast<std::size_t>(i), 'x'));
  CHECK(words[999].size() == 999);
  std::deque<int> numbers;
  for (int i = 0; i < 1000; ++i) numbers.push_front(i);
  CHECK(numbers.back() == 0);
  std::priority_queue<int> heap(std::less<int>(), std::vector<int>{3, 9, 4});
  CHECK(heap.top() == 9);
  const std::string captured(100, 'y');
  const std::function<std::size_t()> size = [captured] { return captured.size(); };
  CHECK(size() == 100);
  CHECK(*std::make_unique<long>(77) == 77);
}

RT_CASE("aligned new gives aligned memory") {
  struct alignas(4096) Page {
    char bytes[4096];
  };
  for (int i = 0; i < 10; ++i) {
    const auto page = std::make_unique<Page>();
    CHECK(reinterpret_cast<std::uintptr_t>(page.get()) % 4096 == 0);
  }
}

RT_CASE("what one thread allocates another may free") {
  std::vector<void*> blocks;
  for (int round = 0; round < 20; ++round) {
    rt::Thread maker([&] {
      for (std::size_t i = 1; i <= 2000; ++i) {
        blocks.push_back(::operator new(i));
        std::memset(blocks.back(), static_cast<int>(i), i);
      }
    });
    CHECK(maker.start().ok());
    maker.join();
    for (std::size_t i = 1; i <= 2000; ++i) {
      CHECK(static_cast<unsigned char*>(blocks[i - 1])[i - 1] == static_cast<unsigned char>(i));
      ::operator delete(blocks[i - 1]);
    }
    blocks.clear();
  }
}

RT_CASE("four threads allocate and free at once") {
  std::vector<rt::Thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      std::vector<std::unique_ptr<std::string>> kept(100);
      unsigned random = static_cast<unsigned>(t) + 1;
      for (int i = 0; i < 10'000; ++i) {
        random = random * 1664525 + 1013904223;
        auto& slot = kept[random >> 8 & 63];
        if (slot) CHECK(slot->find_first_not_of(static_cast<char>('a' + t)) == slot->npos);
        slot = std::make_unique<std::string>(random >> 20, static_cast<char>('a' + t));
      }
    });
    CHECK(threads.back().start().ok());
  }
  for (auto& thread : threads) thread.join();
}

RT_CASE("the slabs of threads that have ended are used again") {
  const auto allocate_in_a_thread = [] {
    rt::Thread thread([] {
      for (std::size_t size = 16; size <= 4096; size *= 2) ::operator delete(::operator new(size));
    });
    CHECK(thread.start().ok());
    thread.join();
  };
  for (int i = 0; i < 100; ++i) allocate_in_a_thread();
  const std::size_t before = rt::heap::statistics().mapped;
  for (int i = 0; i < 300; ++i) allocate_in_a_thread();
  CHECK(rt::heap::statistics().mapped == before);
}

RT_CASE("nothrow new answers a request beyond all memory with a null pointer") {
  volatile std::size_t size = std::size_t{1} << 62;
  CHECK(::operator new(size, std::nothrow) == nullptr);
  CHECK(rt::heap::try_allocate(size).error() == rt::Errc::not_enough_memory);
}

RT_CASE_ENDS("new beyond all memory is a panic", bare::by_signal(6), "panic: out of memory") {
  volatile std::size_t size = std::size_t{1} << 62;
  ::operator delete(::operator new(size));
}

#if RT_DEBUG
RT_CASE_ENDS("a block that is freed twice is a panic", bare::by_signal(6), "double free") {
  void* volatile block = ::operator new(32);
  ::operator delete(block);
  ::operator delete(block);
}

RT_CASE_ENDS("a free of memory that is not the heap's is a panic", bare::by_signal(6),
             "which the heap did not allocate") {
  int local = 0;
  void* volatile wild = &local;
  ::operator delete(wild);
}
#endif
