// What musl's formatted output asks of the rest of musl. Its streams here are strings, private to one call: nothing to
// lock, nothing to flush at exit, no wide characters, no messages of the system.

extern "C" {
int __lockfile(void*) { return 0; }
void __unlockfile(void*) {}
char* strerror(int) { return const_cast<char*>("error"); }
void __stdio_exit_needed() {}
int wctomb(char*, wchar_t) { return -1; }
}
