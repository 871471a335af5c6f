# 32-bit Arm with Debian's cross compiler (tests/arm/check).
set(CMAKE_SYSTEM_PROCESSOR arm)
set(arm_triplet arm-linux-gnueabihf)
set(arm_architecture armhf)
set(arm_emulator qemu-arm)
include(${CMAKE_CURRENT_LIST_DIR}/arm.cmake)
