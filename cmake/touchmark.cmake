# touchmark_library(NAME [HOT] SOURCES ... [PUBLIC LIBS...] [PRIVATE LIBS...]): the one library of a folder.
# All of them share one precompiled header (cmake/precompiled.h). HOT: every attestation runs through it, so
# it is optimized fully. The release build compiles the rest at -O1, which takes a quarter less time.
function(touchmark_library name)
  cmake_parse_arguments(ARG "HOT" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  if(ARG_HOT)
    touchmark_optimize(${name})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  touchmark_precompile(${name} touchmark_precompiled)
endfunction()

function(touchmark_optimize name)
  if(ANDROID)
    return()  # an app's size counts for more, and the build has one level for all
  endif()
  target_compile_options(${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O2>)
endfunction()

# Takes the header that `from` has precompiled.
function(touchmark_precompile name from)
  target_precompile_headers(${name} REUSE_FROM ${from})
endfunction()

# touchmark_test(NAME SOURCES... [LIBS ...]): one GoogleTest binary, discovered by ctest case by case.
function(touchmark_test name)
  if(NOT TOUCHMARK_TESTS OR (TOUCHMARK_TEST_NAMES AND NOT name IN_LIST TOUCHMARK_TEST_NAMES))
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gmock GTest::gtest_main)
  # Tests of one folder use the same names for their helpers. The code of a library, not of a program: the
  # precompiled header is that.
  set_target_properties(${name} PROPERTIES UNITY_BUILD OFF POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC ${TOUCHMARK_TEST_OPTIONS})
  if(CMAKE_SIZEOF_VOID_P EQUAL 4)
    # Where memory has 32 bits, tests put places in small files into indexes of small buffers.
    target_compile_options(${name} PRIVATE -Wno-conversion)
  endif()
  touchmark_precompile(${name} touchmark_precompiled_tests)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # GCC 12 takes the error category's static instance for one that a vector frees.
    target_compile_options(${name} PRIVATE -Wno-free-nonheap-object)
  endif()
  gtest_discover_tests(${name} PROPERTIES TIMEOUT 300 DISCOVERY_TIMEOUT 60
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
endfunction()
