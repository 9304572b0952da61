# The virtual machine with this CPU, and how its kernel is built: Debian 12 has no package of one.
MACHINE         := qemu-system-riscv64 -M virt -m 512
MACHINE_PACKAGE := qemu-system-misc
MACHINE_CONSOLE := ttyS0
KERNEL_PACKAGE  := linux-source:all
KERNEL_CONFIG   := arch/riscv64/kernel.config
KERNEL_ARCH     := riscv
