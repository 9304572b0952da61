// musl's functions store errno at this address; theirs is in musl's own thread structure, which does not exist here.

namespace {
thread_local constinit int error_number = 0;
}

extern "C" {
int* __errno_location() { return &error_number; }
[[gnu::alias("__errno_location"), gnu::visibility("hidden")]] int* ___errno_location();
}
