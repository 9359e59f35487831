# tocsin_room(NAME SOURCES... USES target...): one static library per room, named tocsin::NAME.
function(tocsin_room NAME)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;PRIVATE_USES" ${ARGN})
  add_library(tocsin_${NAME} STATIC ${ROOM_SOURCES})
  add_library(tocsin::${NAME} ALIAS tocsin_${NAME})
  target_link_libraries(tocsin_${NAME} PUBLIC tocsin::flags ${ROOM_USES} PRIVATE ${ROOM_PRIVATE_USES})
endfunction()

# tocsin_unit_test(NAME SOURCES... USES target...): one GoogleTest binary per room, its cases as CTest tests labelled "unit".
function(tocsin_unit_test NAME)
  cmake_parse_arguments(TEST "" "" "SOURCES;USES" ${ARGN})
  add_executable(unit_${NAME} ${TEST_SOURCES})
  target_link_libraries(unit_${NAME} PRIVATE tocsin::flags ${TEST_USES} GTest::gmock GTest::gtest_main)
  # The tests themselves need no optimising: GoogleTest's macros cost most of the build otherwise.
  target_compile_options(unit_${NAME} PRIVATE -O0 -U_FORTIFY_SOURCE)
  if(NOT TOCSIN_SANITIZE)
    gtest_discover_tests(unit_${NAME} TEST_PREFIX unit.${NAME}. DISCOVERY_TIMEOUT 60
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTIES LABELS unit TIMEOUT 120)
    return()
  endif()
  # Half a second to start for each case is most of a sanitizer's time: a process runs a quarter of them.
  target_compile_options(unit_${NAME} PRIVATE -fno-sanitize=undefined)
  foreach(SHARD RANGE 3)
    add_test(NAME unit.${NAME}.${SHARD} COMMAND unit_${NAME} --gtest_brief=1 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(unit.${NAME}.${SHARD} PROPERTIES LABELS unit TIMEOUT 900
      ENVIRONMENT "GTEST_TOTAL_SHARDS=4;GTEST_SHARD_INDEX=${SHARD};LSAN_OPTIONS=${TOCSIN_LSAN_OPTIONS}")
  endforeach()
endfunction()
