# The runtime for the CPU that CMake builds for. All paths are relative to this file, so that the whole may be moved.
#
#   find_package(rt REQUIRED)
#   add_rt_executable(server server.cpp)        one static binary that needs nothing but the kernel
#   add_rt_executable(tiny SMALLEST tiny.cpp)   without crash reports, about 2 KiB less
#
# A library for such programs links rt::rt, and is then compiled as they are.

if(TARGET rt::rt)
  return()
endif()

get_filename_component(_rt_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(_rt_library "${_rt_prefix}/lib/rt/${CMAKE_SYSTEM_PROCESSOR}")
if(NOT EXISTS "${_rt_library}/flags")
  set(rt_FOUND FALSE)
  set(rt_NOT_FOUND_MESSAGE "there is no library for the CPU '${CMAKE_SYSTEM_PROCESSOR}' in ${_rt_prefix}/lib/rt")
  return()
endif()

# The same file that rt-c++ reads: lines like compile="-fpie ...".
file(STRINGS "${_rt_library}/flags" _rt_lines)
foreach(_rt_line IN LISTS _rt_lines)
  if(_rt_line MATCHES "^([a-z_]+)=\"(.*)\"$")
    separate_arguments(_rt_${CMAKE_MATCH_1} UNIX_COMMAND "${CMAKE_MATCH_2}")
  endif()
endforeach()

# The standard is CMake's to set, 20 or later; C has no type information that one could do without.
list(FILTER _rt_compile EXCLUDE REGEX "^-std=")
list(TRANSFORM _rt_compile REPLACE "^-fno-rtti$" "$<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>")

add_library(rt::rt INTERFACE IMPORTED)
target_compile_features(rt::rt INTERFACE cxx_std_20)
target_compile_options(rt::rt INTERFACE ${_rt_compile} "$<$<CXX_COMPILER_ID:Clang>:${_rt_clang_compile}>"
  "$<$<CXX_COMPILER_ID:GNU>:${_rt_gcc_compile}>")
target_include_directories(rt::rt SYSTEM INTERFACE "${_rt_library}/include" "${_rt_prefix}/include/rt")
target_link_options(rt::rt INTERFACE ${_rt_link}
  "$<$<CXX_COMPILER_ID:Clang>:${_rt_clang_compile};${_rt_clang_link}>" "$<$<CXX_COMPILER_ID:GNU>:${_rt_gcc_link}>"
  "SHELL:-T \"${_rt_library}/bare.ld\"")
target_link_libraries(rt::rt INTERFACE -Wl,--start-group "${_rt_library}/librt.a" "${_rt_library}/libmusl-pure.a"
  -lgcc -Wl,--end-group)

function(add_rt_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 rt "SMALLEST" "" "")
  add_executable(${name} ${rt_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE rt::rt)
  if(NOT rt_SMALLEST)
    target_link_options(${name} PRIVATE -Wl,-u,rt_report_crashes)
  endif()
endfunction()

foreach(_rt_name prefix library lines line compiler compile link gcc_compile gcc_link clang_compile clang_link)
  unset(_rt_${_rt_name})
endforeach()
unset(_rt_name)
