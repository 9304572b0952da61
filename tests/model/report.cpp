#include "report.hpp"

#include "machine.hpp"
#include "memory.hpp"

#include <array>
#include <cstdio>
#include <link.h>

namespace model {
namespace {

struct Note {
  const char* what;
  unsigned task;
  const void* address;
  std::uint64_t a, b;
  std::memory_order order;
  Site site;
};

constexpr std::size_t most = 1024; // the last ones are kept
std::array<Note, most> notes;
std::size_t written = 0;

const char* name_of(std::memory_order order) {
  switch (order) {
  case std::memory_order_relaxed: return "relaxed";
  case std::memory_order_consume: return "consume";
  case std::memory_order_acquire: return "acquire";
  case std::memory_order_release: return "release";
  case std::memory_order_acq_rel: return "acq_rel";
  default: return "seq_cst";
  }
}

std::string hexadecimal(std::uint64_t number) {
  char text[32];
  std::snprintf(static_cast<char*>(text), sizeof text, "%#llx", static_cast<unsigned long long>(number));
  return static_cast<char*>(text);
}

std::uintptr_t load_address() {
  std::uintptr_t base = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* argument) {
        *static_cast<std::uintptr_t*>(argument) = info->dlpi_addr;
        return 1;
      },
      &base);
  return base;
}

} // namespace

void begin_notes() { written = 0; }

void note(const char* what, unsigned task, const void* address, std::uint64_t a, std::uint64_t b,
          std::memory_order order, Site site) {
  notes[written++ % most] = {what, task, address, a, b, order, site};
}

std::string address_name(std::uintptr_t address) {
  for (unsigned i = 1; i < most_tasks; ++i)
    if (on_stack_of(i, address)) {
      const auto [begin, size] = stack_of(i);
      return "the stack of '" + std::string(task(i).name) + "' -" +
             hexadecimal(reinterpret_cast<std::uintptr_t>(begin) + size - address);
    }
  return hexadecimal(address);
}

std::string code_name(const void* code) {
  const std::uintptr_t inside = reinterpret_cast<std::uintptr_t>(code) - load_address() - 1;
  return "program " + hexadecimal(inside);
}

std::string story() {
  std::string text;
  if (written > most) text += "  (" + std::to_string(written - most) + " steps before)\n";
  for (std::size_t i = written > most ? written - most : 0; i < written; ++i) {
    const auto& [what, index, address, a, b, order, site] = notes[i % most];
    std::string line = "  " + std::string(task(index).name);
    line.resize(std::max<std::size_t>(line.size(), 14), ' ');
    line += std::string(" ") + what;
    line.resize(std::max<std::size_t>(line.size(), 36), ' ');
    if (address) line += " " + address_name(reinterpret_cast<std::uintptr_t>(address));
    if (site.file) {
      line += " " + hexadecimal(a);
      if (b != 0 || what[0] == 'c' || what[0] == 'e') line += " -> " + hexadecimal(b);
      line += std::string(" ") + name_of(order);
      line.resize(std::max<std::size_t>(line.size(), 84), ' ');
      line += std::string(" ") + site.file + ":" + std::to_string(site.line) + " " + site.function;
    } else if (a != 0) {
      line += " " + hexadecimal(a);
    }
    text += line + '\n';
  }
  return text;
}

} // namespace model
