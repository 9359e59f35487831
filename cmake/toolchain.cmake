# Warnings as errors, sanitizers, a fast linker and a compiler cache where they are there.
add_library(tocsin_flags INTERFACE)
add_library(tocsin::flags ALIAS tocsin_flags)
target_include_directories(tocsin_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(tocsin_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wimplicit-fallthrough -Werror -fstack-protector-strong -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
target_compile_definitions(tocsin_flags INTERFACE _GNU_SOURCE TOCSIN_VERSION="${PROJECT_VERSION}")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees ghosts in inlined std::string and std::optional code at -O2 and under sanitizers (GCC bugs 105329, 105562).
  target_compile_options(tocsin_flags INTERFACE -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds -Wno-dangling-pointer -Wno-tsan)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(tocsin_flags INTERFACE -Wno-shadow) # it takes a parameter for a shadow of a field; GCC judges the rest
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_definitions(tocsin_flags INTERFACE _FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
if(TOCSIN_SANITIZE)
  add_compile_options(-fsanitize=${TOCSIN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1)
  if(TOCSIN_SANITIZE MATCHES undefined)
    # Null pointers stop under the address sanitizer anyway, and the check of virtual tables needs a pipe of its own, which a
    # test that lets descriptors run out does not leave it; without the two a unit compiles a sixth quicker.
    add_compile_options(-fno-sanitize=null,vptr)
  endif()
  add_link_options(-fsanitize=${TOCSIN_SANITIZE})
  if(TOCSIN_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
  endif()
endif()
find_program(CCACHE ccache)
if(CCACHE)
  # Paths below the source folder are hashed as relative ones, so that checkouts in other folders share what was compiled.
  set(LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${LAUNCHER})
  set(CMAKE_C_COMPILER_LAUNCHER ${LAUNCHER})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
