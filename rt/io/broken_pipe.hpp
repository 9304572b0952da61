#pragma once
// The signal SIGPIPE, which would end a program that writes what nobody reads any more. sendto(2) and its kin can be
// told not to raise it; write(2) and sendfile(2) cannot.

namespace rt {

/// From now on SIGPIPE has no effect, and what is written into a broken pipe fails with broken_pipe only. If the signal
/// has another action than its usual one, that stays.
void survive_broken_pipes();

} // namespace rt
