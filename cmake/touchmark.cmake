# touchmark_test(NAME SOURCES... [LIBS ...]): one GoogleTest binary, discovered by ctest case by case.
function(touchmark_test name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gmock GTest::gtest_main)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # GCC 12 takes the error category's static instance for one that a vector frees.
    target_compile_options(${name} PRIVATE -Wno-free-nonheap-object)
  endif()
  gtest_discover_tests(${name} PROPERTIES TIMEOUT 300 DISCOVERY_TIMEOUT 60
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
endfunction()
