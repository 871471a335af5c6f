# Of both toolchains for Arm: the libraries are Debian's own for that processor, which tests/arm/make-root
# unpacks below build/arm. Programs run under qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${arm_triplet}-gcc)
set(CMAKE_CXX_COMPILER ${arm_triplet}-g++)
set(CMAKE_LIBRARY_ARCHITECTURE ${arm_triplet})
cmake_path(SET arm_root NORMALIZE ${CMAKE_CURRENT_LIST_DIR}/../build/arm/${arm_architecture}/root)
set(CMAKE_SYSROOT ${arm_root})
set(CMAKE_FIND_ROOT_PATH ${arm_root})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_CROSSCOMPILING_EMULATOR ${arm_emulator} -L ${arm_root})
