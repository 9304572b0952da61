# Compiler and linker flags that only this CPU needs.
ARCH_FLAGS       :=
ARCH_LINK_FLAGS  := -Wl,-z,max-page-size=4096
ARCH_DISASSEMBLY :=
