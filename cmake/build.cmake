# How this project builds itself. Not read by a project that uses the library.

set(DURABLE_SANITIZE "" CACHE STRING "Empty, address (with undefined) or thread")

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(DURABLE_SANITIZE STREQUAL "address")
    set(DURABLE_SANITIZE_OPTIONS
        -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
elseif(DURABLE_SANITIZE STREQUAL "thread")
    set(DURABLE_SANITIZE_OPTIONS -fsanitize=thread -fno-omit-frame-pointer)
    add_link_options(-fsanitize=thread)
    # TSan does not understand fences: without these GCC warns and Asio's blocks look like races.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
    add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-tsan>)
elseif(DURABLE_SANITIZE)
    message(FATAL_ERROR "DURABLE_SANITIZE must be empty, address or thread, got ${DURABLE_SANITIZE}")
endif()
add_compile_options(${DURABLE_SANITIZE_OPTIONS})

find_program(DURABLE_CCACHE ccache)
mark_as_advanced(DURABLE_CCACHE)
if(DURABLE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # The sloppiness is what precompiled headers need. Base and hash dir let a second clone hit, and
    # so does ignoring what stands behind -Xclang: paths of precompiled headers, whose sum counts.
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
        CCACHE_IGNOREOPTIONS=-Xclang* CCACHE_PCH_EXTSUM=1
        "${DURABLE_CCACHE}")
endif()
