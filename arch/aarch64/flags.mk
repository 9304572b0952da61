# Compiler and linker flags that only this CPU needs.

# Atomic instructions inline, rather than calls that choose between two kinds by libc's auxiliary vector; frame records
# in leaf functions too, so that a backtrace misses no caller; thread-local variables at constant distances from the
# thread pointer, without a table of them.
ARCH_FLAGS       := -mbranch-protection=bti -ftls-model=local-exec -mno-outline-atomics -mno-omit-leaf-frame-pointer
# The stack canary in the control block (tls.hpp); clang 14 can only read it from a variable.
ARCH_GCC_FLAGS   := -mstack-protector-guard=sysreg -mstack-protector-guard-reg=tpidr_el0 \
                    -mstack-protector-guard-offset=8
ARCH_CLANG_FLAGS := --target=aarch64-linux-gnu
# Kernels are built for pages of 4, 16 or 64 KiB.
ARCH_LINK_FLAGS  := -Wl,-z,max-page-size=65536
ARCH_MUSL_FLAGS  := -mbranch-protection=bti -mno-outline-atomics
ARCH_DISASSEMBLY :=
# The CPU's name in container images.
ARCH_PLATFORM    := arm64/v8
