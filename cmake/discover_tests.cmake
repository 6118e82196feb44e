# durable_discover_tests(<target> <folder>): each test case of a Catch2 program becomes a test of
# CTest, "<folder>: <name>".
#
# Catch2 brings a function for this, but its version 2 leaves out names with quotes, backslashes or
# semicolons, and then runs nothing and calls it a success. Names here are sentences.
#
# This file is also the script that runs after the program is linked.

if(NOT CMAKE_SCRIPT_MODE_FILE)
    set(discover_script "${CMAKE_CURRENT_LIST_FILE}")

    function(durable_discover_tests target folder)
        set(tests "${CMAKE_CURRENT_BINARY_DIR}/${target}.cmake")
        add_custom_command(TARGET ${target} POST_BUILD VERBATIM BYPRODUCTS "${tests}"
            COMMAND "${CMAKE_COMMAND}" "-Dprogram=$<TARGET_FILE:${target}>" "-Dfolder=${folder}"
                "-Dtests=${tests}" -P "${discover_script}")
        # Without the program, one test that fails says so.
        file(CONFIGURE OUTPUT "${target}_or_none.cmake" @ONLY CONTENT [[
if(EXISTS "@tests@")
    include("@tests@")
else()
    add_test("@folder@: NOT BUILT" "@target@")
endif()
]])
        set_property(DIRECTORY APPEND PROPERTY
            TEST_INCLUDE_FILES "${CMAKE_CURRENT_BINARY_DIR}/${target}_or_none.cmake")
    endfunction()
    return()
endif()

file(REMOVE "${tests}")
execute_process(COMMAND "${program}" --list-tests --verbosity quiet
    OUTPUT_VARIABLE names ERROR_VARIABLE errors RESULT_VARIABLE result)
set(no_match_is_failure "")  # which version 3 does unasked
if(names MATCHES "^All available test cases")  # version 2, which has another option for it
    set(no_match_is_failure " --warn NoTests")
    execute_process(COMMAND "${program}" --list-test-names-only
        OUTPUT_VARIABLE names ERROR_VARIABLE errors RESULT_VARIABLE result)
endif()
if(NOT result MATCHES "^[0-9]+$" OR names STREQUAL "" OR errors)
    message(FATAL_ERROR "${program} lists no tests (${result}): ${names}${errors}")
endif()

# A list of CMake's may hold neither of these, so each travels as a character no name has.
string(ASCII 1 semicolon)
string(ASCII 2 open)
string(ASCII 3 close)
string(REPLACE ";" "${semicolon}" names "${names}")
string(REPLACE "[" "${open}" names "${names}")
string(REPLACE "]" "${close}" names "${names}")
string(REGEX MATCHALL "[^\n]+" names "${names}")

set(script "")
foreach(name IN LISTS names)
    # What Catch2 would read as the syntax of a pattern.
    string(REGEX REPLACE "([\\\\\",~${open}${close}])" "\\\\\\1" pattern "${name}")
    string(APPEND script
        "add_test([==[${folder}: ${name}]==] [==[${program}]==] [==[${pattern}]==]${no_match_is_failure})\n"
        "set_tests_properties([==[${folder}: ${name}]==] PROPERTIES LABELS ${folder} TIMEOUT 300)\n")
endforeach()
string(REPLACE "${semicolon}" ";" script "${script}")
string(REPLACE "${open}" "[" script "${script}")
string(REPLACE "${close}" "]" script "${script}")
file(WRITE "${tests}" "${script}")
