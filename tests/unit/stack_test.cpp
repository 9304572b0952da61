#include <rt/memory/stack_pool.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <vector>

using namespace rt::memory;

namespace {

std::size_t mappings() {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) ++count;
  return count;
}

} // namespace

TEST_CASE("a stack has the size that was asked for, all of it usable") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16} << 10, std::size_t{1} << 20}) {
    Stack* stack = take_stack(size).value();
    CHECK(stack->size() >= (size ? size : default_flow_stack_size - 16 * 64));
    CHECK(reinterpret_cast<std::uintptr_t>(stack->top) % 64 == 0);
    std::memset(stack->begin, 1, stack->size());
    give_stack(stack);
  }
}

TEST_CASE("a stack larger than any can be is an error") {
  CHECK(take_stack(std::size_t{1} << 50).error() == rt::Errc::not_enough_memory);
}

TEST_CASE("a stack that was given back is the next one taken") {
  Stack* stack = take_stack().value();
  give_stack(stack);
  Stack* again = take_stack().value();
  CHECK(again == stack);
  give_stack(again);
}

TEST_CASE("live stacks are distinct, and are found by any address in them or their guard") {
  std::vector<Stack*> all;
  std::set<char*> begins;
  for (int i = 0; i < 5000; ++i) all.push_back(take_stack().value());
  for (Stack* stack : all) {
    CHECK(begins.insert(stack->begin).second);
    CHECK(find_stack(reinterpret_cast<std::uintptr_t>(stack->top) - 1) == stack);
    CHECK(find_stack(reinterpret_cast<std::uintptr_t>(stack->begin) - 1) == stack);
  }
  CHECK(find_stack(reinterpret_cast<std::uintptr_t>(&all)) == nullptr);
  for (Stack* stack : all) give_stack(stack);
}

TEST_CASE("many stacks are few mappings where the kernel has light guards") {
  Stack* probe = take_stack().value();
  give_stack(probe);
  const std::size_t before = mappings();
  std::vector<Stack*> all;
  for (int i = 0; i < 20'000; ++i) all.push_back(take_stack().value());
  const std::size_t after = mappings();
  CHECK((after - before < 100 || after - before >= 15'000)); // or two for each stack, by mprotect
  for (Stack* stack : all) give_stack(stack);
}
