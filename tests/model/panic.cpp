// rt's panics end the execution: a scenario that panics has failed. What reports would say of fibers is not needed.

#include "machine.hpp"

#include <rt/base/panic.hpp>
#include <rt/base/registry.hpp>
#include <rt/hub/report.hpp>
#include <rt/sync/thread_report.hpp>

namespace rt {

void unregister_at_thread_exit() {} // the scenario's tasks do so themselves, when they end

constinit Atomic<FiberWriter*> write_current_fiber = nullptr;

namespace hub {

bool is_only_thread() { return false; }
void write_running_fiber(Output&) {}
void report(std::uint32_t, const void*, std::uintptr_t) {}
TaskId thread_of(TaskId) { return 0; }
void report_stuck(Hub&) { model::fail("stuck: all fibers wait"); }

} // namespace hub

namespace reporting {

void report_task(TaskId) {}

} // namespace reporting

void abort() { model::fail("aborted"); }

namespace panicking {

Report::Report(std::string_view title) : out_(std::span<char>(static_cast<char*>(buffer_), sizeof buffer_)) {
  out_.put(title);
}

void Report::write(const void*) { model::fail(std::string(out_.text())); }

void finish(Report& report) { model::fail(std::string(report.out().text())); }

void panic_with_text(std::string_view text) { model::fail("panic: " + std::string(text)); }

} // namespace panicking
} // namespace rt
