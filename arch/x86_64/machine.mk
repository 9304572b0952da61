# The virtual machine with this CPU, and the package that has a kernel for it.
MACHINE         := qemu-system-x86_64 -M q35 -m 512
MACHINE_PACKAGE := qemu-system-x86
MACHINE_CONSOLE := ttyS0
KERNEL_PACKAGE  := linux-image-cloud-amd64:amd64
