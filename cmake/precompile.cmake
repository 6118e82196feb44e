# durable_precompile(<target> <headers>...): parses the headers once, for every target that links
# with <target> and reuses its precompiled headers.
#
# With Clang, what is in the headers is also compiled once, into a library that comes with <target>.
# Otherwise each source compiles the whole engine again, which is two thirds of its time.
#
# ccache must not give a precompiled header to another clone: it names its files by absolute paths.
# For the sources that use it, ccache compares its text instead ("sum"), without those paths.
function(durable_precompile target)
    target_precompile_headers(${target} PRIVATE ${ARGN})
    set_target_properties(${target} PROPERTIES CXX_COMPILER_LAUNCHER "")
    set(text "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx")
    set(headers "${text}.gch")
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        set(headers "${text}.pch")
    endif()
    string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
    separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}")
    list(APPEND flags ${DURABLE_SANITIZE_OPTIONS})

    set(sum "${headers}.sum")
    set(defines "$<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>")
    set(folders "$<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>")
    add_custom_command(OUTPUT "${sum}" DEPENDS "${headers}" VERBATIM COMMAND_EXPAND_LISTS
        COMMAND "${CMAKE_CXX_COMPILER}" ${flags} -std=c++20
            "$<$<BOOL:${defines}>:-D$<JOIN:${defines},;-D>>" "-I$<JOIN:${folders},;-I>"
            -x c++-header "${text}" -w -E -o "${sum}"
        COMMAND sed -i "s|${PROJECT_SOURCE_DIR}||g" "${sum}")
    add_custom_target(${target}_sum DEPENDS "${sum}")
    add_library(${target}_precompiled INTERFACE)
    add_dependencies(${target}_precompiled ${target}_sum)
    target_link_libraries(${target} INTERFACE ${target}_precompiled)

    if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        return()
    endif()
    target_compile_options(${target} PRIVATE -fpch-codegen)
    set(object "${CMAKE_CURRENT_BINARY_DIR}/${target}_precompiled.o")
    add_custom_command(OUTPUT "${object}" DEPENDS "${headers}" VERBATIM
        COMMAND "${CMAKE_CXX_COMPILER}" ${flags} -ffunction-sections -c "${headers}" -o "${object}")
    add_library(${target}_objects STATIC "${object}")
    set_target_properties(${target}_objects PROPERTIES LINKER_LANGUAGE CXX)
    # Some of the standard library's inline functions call what it does not export.
    target_link_options(${target}_precompiled INTERFACE -Wl,--gc-sections)
    target_link_libraries(${target}_precompiled INTERFACE ${target}_objects)
endfunction()
