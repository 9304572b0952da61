#pragma once
// eventfd(2): a counter behind a descriptor, by which one thread or process wakes another that waits for several
// descriptors.

#include <rt/base/result.hpp>

namespace rt::kernel {

/// A new one, non-blocking, at 0; closed when a program is executed. too_many_files_open.
Result<int> make_event_counter();

/// Adds one: the descriptor can be read from then on.
void add_to_event_counter(int descriptor);

/// Sets it to 0.
void clear_event_counter(int descriptor);

} // namespace rt::kernel
