# Compiler and linker flags that only this CPU needs.
# Thread-local variables at constant distances from the thread pointer, without a table of them.
ARCH_FLAGS       := -ftls-model=local-exec
# The stack canary in the control block (tls.hpp); clang 14 can only read it from a variable.
ARCH_GCC_FLAGS   := -mstack-protector-guard=tls -mstack-protector-guard-reg=tp -mstack-protector-guard-offset=-8
# lld 14 does not relax, and refuses code that is to be relaxed.
ARCH_CLANG_FLAGS := --target=riscv64-linux-gnu -mno-relax
ARCH_LINK_FLAGS  := -Wl,-z,max-page-size=4096
ARCH_MUSL_FLAGS  := -mno-relax
ARCH_DISASSEMBLY :=
# The CPU's name in container images.
ARCH_PLATFORM    := riscv64
