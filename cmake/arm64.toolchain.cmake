# 64-bit Arm with Debian's cross compiler (tests/arm/check).
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(arm_triplet aarch64-linux-gnu)
set(arm_architecture arm64)
set(arm_emulator qemu-aarch64)
include(${CMAKE_CURRENT_LIST_DIR}/arm.cmake)
