# What differs in a build by an Android NDK, or a stand-in of one (attester/android/sysroot).

# Checked indexes, as _GLIBCXX_ASSERTIONS gives them on the host. libc++ has changed the name.
include(CheckCXXSourceCompiles)
check_cxx_source_compiles("
#include <version>
#if _LIBCPP_VERSION < 180000
#error older
#endif
int main() { return 0; }" TOUCHMARK_LIBCXX_18)
if(TOUCHMARK_LIBCXX_18)
  add_compile_definitions(_LIBCPP_HARDENING_MODE=_LIBCPP_HARDENING_MODE_FAST)
else()
  add_compile_definitions(_LIBCPP_ENABLE_ASSERTIONS=1)
endif()

# NDKs come with newer compilers than this project is kept clean under, and with other libraries: what those
# warn of stops nobody's build. attester/android/check is strict.
option(TOUCHMARK_STRICT "Take warnings for errors" OFF)
if(NOT TOUCHMARK_STRICT)
  add_compile_options(-Wno-error)
endif()

# Threads are in libc. FindThreads asks for pthread_cancel, which Android does not have, and goes astray.
set(CMAKE_HAVE_LIBC_PTHREAD ON CACHE INTERNAL "")

# Every function and datum can be left out by itself.
add_compile_options(-ffunction-sections -fdata-sections)

# The messages of libc++'s checks name its headers.
foreach(ndk IN LISTS ANDROID_NDK CMAKE_ANDROID_NDK CMAKE_SYSROOT)
  get_filename_component(real ${ndk} REALPATH)
  add_compile_options(-ffile-prefix-map=${ndk}=ndk -ffile-prefix-map=${real}=ndk)
endforeach()

# touchmark_link_for_android(NAME): a library that a phone's loader takes, and that shows no more than its
# interface: what comes out of others' archives is never exported. Pages are 4 KiB on some phones and 16 on
# others. The loader knows packed relocations since API 23.
function(touchmark_link_for_android name)
  target_link_options(${name} PRIVATE
    -static-libstdc++
    -Wl,--exclude-libs,libcrypto.a:libssl.a:libcurl.a:libz.a:libc++_static.a:libc++abi.a:libunwind.a
    -Wl,-z,max-page-size=16384 -Wl,--pack-dyn-relocs=android -Wl,--icf=safe)
endfunction()
