// Plain data: what is not atomic must not be accessed by two tasks, one of them writing, unless one access happens
// before the other; and memory that was freed, or whose function has returned, must not be accessed at all.
//
// The sources under test and the scenarios are compiled with -fsanitize=thread, and the hooks that the compiler calls
// at each access are these: so nothing has to be marked in the sources. Each byte of the arena and of the program's
// variables has a Cell that remembers the last write and each task's last read (as FastTrack by C. Flanagan and
// S. Freund does). A frame's end, like delete, counts as a write: it must happen after all accesses of others.

#include "machine.hpp"
#include "memory.hpp"
#include "report.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <new>
#include <sys/mman.h>
#include <vector>

extern "C" char __data_start[], _end[]; // the program's variables, by the linker

namespace model {
namespace {

// One stands for each byte; the first of a word for the whole word as long as only whole words are accessed.
struct Cell {
  std::uint32_t execution;
  bool whole;
  bool gone;
  std::uint8_t only; // the task that has accessed it, or several
  std::uint8_t writer;
  Tick written;
  std::array<Tick, most_tasks> read;
  const void* code; // of the last access
};
constexpr std::size_t word_size = 4;
constexpr std::uint8_t nobody = 0xfe, several = 0xff;

constexpr std::uintptr_t arena = 0x20'0000'0000; // in the user half of every CPU's smallest address space
constexpr std::size_t stack_size = 128 << 10, heap_size = 4 << 20;
constexpr std::size_t arena_size = most_tasks * stack_size + heap_size;
constexpr std::uintptr_t heap = arena + most_tasks * stack_size;
constexpr std::size_t header = 16;

void* map(std::uintptr_t at, std::size_t size) {
  void* memory = mmap(reinterpret_cast<void*>(at), size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED_NOREPLACE : 0), -1, 0);
  if (memory == MAP_FAILED) std::abort();
  return memory;
}

constexpr std::size_t block_size = 64;

struct Region {
  std::uintptr_t begin, end;
  Cell* cells;            // of each byte
  std::uint32_t* touched; // for each block of bytes, the last execution that has accessed it
};

std::array<Region, 2> regions;
std::uint32_t execution = 0;
std::uintptr_t heap_end; // what is allocated ends here

// The functions that are running on a stack: the lowest address of each frame, innermost last. What is above the first
// one is the stack's end.
struct Frames {
  std::vector<std::uintptr_t> low;
};
std::vector<Frames> flows;                // see running_flow()
std::array<unsigned, most_tasks> running; // the flow that each task runs

void prepare() {
  if (regions[0].cells) return;
  map(arena, arena_size);
  const auto data = reinterpret_cast<std::uintptr_t>(static_cast<char*>(__data_start));
  const auto data_end = reinterpret_cast<std::uintptr_t>(static_cast<char*>(_end));
  for (auto& region : regions) {
    region = &region == &regions[0] ? Region{arena, arena + arena_size, nullptr, nullptr}
                                    : Region{data & ~(block_size - 1), data_end, nullptr, nullptr};
    const std::size_t size = region.end - region.begin;
    region.cells = static_cast<Cell*>(map(0, size * sizeof(Cell)));
    region.touched = static_cast<std::uint32_t*>(map(0, (size / block_size + 1) * sizeof(std::uint32_t)));
  }
}

const Region* region_of(std::uintptr_t address) {
  for (const Region& region : regions)
    if (address >= region.begin && address < region.end) return &region;
  return nullptr;
}

void renew(Cell& cell) {
  cell = Cell();
  cell.execution = execution;
  cell.only = nobody;
}

// For another variable at the same place.
void renew_in_place(Cell& cell) {
  const bool whole = cell.whole;
  renew(cell);
  cell.whole = whole;
}

[[noreturn]] void race(const char* what, const char* earlier, unsigned other, std::uintptr_t address, const Cell& cell,
                       const void* code) {
  note(what, self().index, reinterpret_cast<void*>(address));
  fail("data race: '" + std::string(self().name) + "' " + what + " " + address_name(address) + " (" + code_name(code) +
       ") and '" + std::string(task(other).name) + "' " + earlier + " it before (last access: " + code_name(cell.code) +
       "); nothing orders the two");
}

void check_order(const char* what, std::uintptr_t address, const Cell& cell, bool writes, const void* code) {
  const Task& me = self();
  if (cell.written != 0 && !me.clock.covers(cell.writer, cell.written))
    race(what, "wrote", cell.writer, address, cell, code);
  if (!writes) return;
  for (unsigned i = 0; i < most_tasks; ++i)
    if (cell.read[i] != 0 && !me.clock.covers(i, cell.read[i])) race(what, "read", i, address, cell, code);
}

// Whether the address is on a stack, where no function is that has not returned.
bool below_frames(std::uintptr_t address) {
  const std::uintptr_t owner = (address - arena) / stack_size;
  return owner < most_tasks && address < flows[owner].low.back();
}

void access_cell(Cell& cell, std::uintptr_t address, bool writes, const void* code) {
  const Task& me = self();
  if (cell.gone && on_own_stack(address)) renew_in_place(cell); // a stack is used for frame after frame
  if (cell.only != me.index) {
    if (cell.gone || below_frames(address))
      fail("'" + std::string(me.name) + "' " + (writes ? "writes " : "reads ") + address_name(address) + " (" +
           code_name(code) + "), which is gone: freed, or of a function that has returned");
    if (cell.only != nobody) {
      check_order(writes ? "writes" : "reads", address, cell, writes, code);
      cell.only = several;
    } else {
      cell.only = static_cast<std::uint8_t>(me.index);
    }
  }
  if (writes) {
    cell.writer = static_cast<std::uint8_t>(me.index);
    cell.written = me.clock.ticks[me.index];
  } else {
    cell.read[me.index] = me.clock.ticks[me.index];
  }
  cell.code = code;
}

void access(const void* at, std::size_t size, bool writes, const void* code) {
  if (!in_program) return;
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  const Region* region = region_of(address);
  if (!region) return;
  const Inside inside;
  const std::size_t begin = address - region->begin, end = begin + size;
  region->touched[begin / block_size] = region->touched[(end - 1) / block_size] = execution;
  for (std::size_t offset = begin; offset < end;) {
    Cell* word = region->cells + offset / word_size * word_size;
    const bool whole = offset % word_size == 0 && offset + word_size <= end;
    if (word->execution != execution) {
      renew(*word);
      word->whole = true;
    }
    if (word->whole && !whole) {
      word->whole = false;
      for (std::size_t i = 1; i < word_size; ++i) word[i] = word[0];
    }
    access_cell(region->cells[offset], region->begin + offset, writes, code);
    offset += word->whole ? word_size : 1;
  }
}

/// Calls visit(cell, address) for each byte or whole word of the range that has been accessed in this execution.
template <class F> void visit_cells(std::uintptr_t begin, std::uintptr_t end, F visit) {
  const Region& region = regions[0];
  for (std::uintptr_t address = begin & ~(word_size - 1); address < end;) {
    const std::size_t offset = address - region.begin;
    if (region.touched[offset / block_size] != execution) {
      address += block_size - offset % block_size;
      continue;
    }
    const Cell& word = region.cells[offset / word_size * word_size];
    const bool whole = word.execution != execution || word.whole;
    if (word.execution == execution) visit(region.cells[offset], address);
    address += whole ? word_size : 1;
  }
}

// What is in this range has come to its end.
void end_range(std::uintptr_t begin, std::uintptr_t end, const char* what, const void* code) {
  visit_cells(begin, end, [&](Cell& cell, std::uintptr_t address) {
    if (cell.only != self().index) check_order(what, address, cell, true, code);
    cell.gone = true;
  });
}

// Another function has its frame here now. The compiler need not tell of what it writes there first.
void begin_frame(std::uintptr_t begin, std::uintptr_t end) {
  visit_cells(begin, end, [](Cell& cell, std::uintptr_t) { renew_in_place(cell); });
}

void* allocate(std::size_t size) {
  prepare();
  const std::uintptr_t block = (heap_end + header + 15) & ~std::uintptr_t{15};
  if (block + size > arena + arena_size) fail("the simulated heap is full");
  std::memcpy(reinterpret_cast<void*>(block - header), &size, sizeof size);
  heap_end = block + size;
  return reinterpret_cast<void*>(block);
}

void free(void* pointer, const void* code) {
  const auto block = reinterpret_cast<std::uintptr_t>(pointer);
  if (block < heap || block >= arena + arena_size) return std::free(pointer);
  if (!in_program) return;
  std::size_t size;
  std::memcpy(&size, reinterpret_cast<void*>(block - header), sizeof size);
  access(pointer, size, true, code);
  const Inside inside;
  end_range(block, block + size, "frees", code);
  end_atomics(block, block + size);
}

} // namespace

Stack stack_of(unsigned task) {
  prepare();
  return {reinterpret_cast<char*>(arena + task * stack_size), stack_size};
}

bool on_stack_of(unsigned task, std::uintptr_t address) { return (address - arena) / stack_size == task; }

void begin_shadow() {
  prepare();
  ++execution;
  heap_end = heap;
  flows.resize(most_tasks);
  for (unsigned i = 0; i < most_tasks; ++i) {
    flows[i].low.assign(1, arena + (i + 1) * stack_size);
    running[i] = i;
  }
}

unsigned running_flow() { return running[self().index]; }

bool on_own_stack(std::uintptr_t address) {
  const auto& low = flows[running_flow()].low;
  return !low.empty() && address < low.front() &&
         address >= reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

} // namespace model

using namespace model;

#define CODE __builtin_return_address(0)

void* operator new(std::size_t size) {
  if (!in_program) {
    void* memory = std::malloc(size ? size : 1);
    if (!memory) std::abort();
    return memory;
  }
  const Inside inside;
  return allocate(size ? size : 1);
}
void operator delete(void* pointer) noexcept { model::free(pointer, CODE); }
void operator delete(void* pointer, std::size_t) noexcept { model::free(pointer, CODE); }
// The arena's blocks lie at multiples of 16; what wants more gets room to move.
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  if (!in_program) return std::aligned_alloc(align, (size + align - 1) / align * align);
  const Inside inside;
  heap_end = ((heap_end + header + align - 1) & ~(align - 1)) - header;
  return allocate(size ? size : 1);
}
void operator delete(void* pointer, std::align_val_t) noexcept { model::free(pointer, CODE); }
void operator delete(void* pointer, std::size_t, std::align_val_t) noexcept { model::free(pointer, CODE); }

// What -fsanitize=thread calls.
extern "C" {

void __tsan_init() {}

void __tsan_func_entry(void*) {
  if (!in_program || self().index == 0) return;
  const Inside inside;
  auto& low = flows[model::running_flow()].low;
  const auto lowest = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  if (low.empty()) low.push_back(lowest); // a fiber's first function
  begin_frame(lowest, low.back());
  low.push_back(lowest);
}

void __tsan_func_exit() {
  if (!in_program || self().index == 0) return;
  const Inside inside;
  auto& low = flows[model::running_flow()].low;
  const std::uintptr_t lowest = low.back();
  low.pop_back();
  end_range(lowest, low.back(), "leaves the frame of", CODE);
  end_atomics_on_stack(model::running_flow(), low.back());
}

// What rt/memory/sanitizer.hpp tells of fibers. A handle is a flow's number.
void* __tsan_create_fiber(unsigned) {
  const Inside inside;
  flows.emplace_back();
  return reinterpret_cast<void*>(flows.size() - 1);
}
void __tsan_destroy_fiber(void*) {}
void* __tsan_get_current_fiber() { return reinterpret_cast<void*>(std::uintptr_t{model::running_flow()}); }
void __tsan_switch_to_fiber(void* fiber, unsigned) {
  running[self().index] = static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(fiber));
}

#define RT_MODEL_ACCESS(size)                                                                                          \
  void __tsan_read##size(void* at) { access(at, size, false, CODE); }                                                  \
  void __tsan_write##size(void* at) { access(at, size, true, CODE); }                                                  \
  void __tsan_unaligned_read##size(void* at) { access(at, size, false, CODE); }                                        \
  void __tsan_unaligned_write##size(void* at) { access(at, size, true, CODE); }                                        \
  void __tsan_volatile_read##size(void* at) { access(at, size, false, CODE); }                                         \
  void __tsan_volatile_write##size(void* at) { access(at, size, true, CODE); }
RT_MODEL_ACCESS(1)
RT_MODEL_ACCESS(2)
RT_MODEL_ACCESS(4)
RT_MODEL_ACCESS(8)
RT_MODEL_ACCESS(16)

void __tsan_read_range(void* at, std::size_t size) { access(at, size, false, CODE); }
void __tsan_write_range(void* at, std::size_t size) { access(at, size, true, CODE); }
// Orders what one thread does against its own signal handlers, of which there are none here.
void __tsan_atomic_signal_fence(int) {}
void __tsan_vptr_update(void** at, void*) { access(at, sizeof *at, true, CODE); }
void __tsan_vptr_read(void** at) { access(at, sizeof *at, false, CODE); }

} // extern "C"
