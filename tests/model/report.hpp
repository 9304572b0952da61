#pragma once
// What happened in an execution, kept so that a failure can be told.

#include "atomic.hpp"

#include <cstdint>
#include <string>

namespace model {

void begin_notes();

/// A step of a task.
void note(const char* what, unsigned task, const void* address = nullptr, std::uint64_t a = 0, std::uint64_t b = 0,
          std::memory_order order = std::memory_order_relaxed, Site site = {nullptr, 0, nullptr});

/// The address in words: whose stack, how far in the heap, which variable of the program.
std::string address_name(std::uintptr_t address);
/// The source line of an address that a hook was called from.
std::string code_name(const void* code);

/// The steps of the execution, one a line.
std::string story();

} // namespace model
