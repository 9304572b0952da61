// musl's functions store errno at this address; theirs is in musl's own thread structure, which does not exist here.

namespace {
thread_local constinit int error_number = 0;
}

extern "C" {
[[gnu::const]] int* __errno_location() noexcept { return &error_number; }
[[gnu::const, gnu::alias("__errno_location"), gnu::visibility("hidden")]] int* ___errno_location() noexcept;
}
