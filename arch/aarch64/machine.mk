# The virtual machine with this CPU, and the package that has a kernel for it.
MACHINE         := qemu-system-aarch64 -M virt -cpu max,pauth=off -m 512
MACHINE_PACKAGE := qemu-system-arm
MACHINE_CONSOLE := ttyAMA0
KERNEL_PACKAGE  := linux-image-cloud-arm64:arm64
