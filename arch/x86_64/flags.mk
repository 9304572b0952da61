# Compiler and linker flags that only this CPU needs.
ARCH_FLAGS       :=
ARCH_GCC_FLAGS   :=
ARCH_CLANG_FLAGS := --target=x86_64-linux-gnu
# At a page fault the kernel maps what it has of a block of 64 KiB ("fault around"). One that knows the alignment of
# static programs (6.10) puts a small program into one block, so that a child has one such fault for its code, not two.
ARCH_LINK_FLAGS  := -Wl,-z,max-page-size=65536
ARCH_MUSL_FLAGS  :=
ARCH_DISASSEMBLY :=
# The CPU's name in container images.
ARCH_PLATFORM    := amd64
