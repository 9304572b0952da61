// rt's panics end the execution: a scenario that panics has failed.

#include "machine.hpp"

#include <rt/base/panic.hpp>
#include <rt/base/registry.hpp>

namespace rt {

void unregister_at_thread_exit() {} // the scenario's tasks do so themselves, when they end

namespace panicking {

Report::Report(std::string_view title) : out_(std::span<char>(static_cast<char*>(buffer_), sizeof buffer_)) {
  out_.put(title);
}

void finish(Report& report) { model::fail(std::string(report.out().text())); }

void panic_with_text(std::string_view text) { model::fail("panic: " + std::string(text)); }

} // namespace panicking
} // namespace rt
