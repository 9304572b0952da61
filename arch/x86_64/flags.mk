# Compiler and linker flags that only this CPU needs.
ARCH_FLAGS       :=
ARCH_GCC_FLAGS   :=
ARCH_CLANG_FLAGS := --target=x86_64-linux-gnu
ARCH_LINK_FLAGS  := -Wl,-z,max-page-size=4096
ARCH_MUSL_FLAGS  :=
ARCH_DISASSEMBLY :=
# The CPU's name in container images.
ARCH_PLATFORM    := amd64
