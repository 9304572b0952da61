# Compiler and linker flags that only this CPU needs.
ARCH_FLAGS       :=
# lld 14 does not relax, and refuses code that is to be relaxed.
ARCH_CLANG_FLAGS := --target=riscv64-linux-gnu -mno-relax
ARCH_LINK_FLAGS  := -Wl,-z,max-page-size=4096
ARCH_MUSL_FLAGS  := -mno-relax
ARCH_DISASSEMBLY :=
