# Script: configures, builds and runs the consumer project `consumer` in the empty folder `build`.
# With `installed`: installs durable, built in that folder, first. The programs must print what
# `version` and the comments at their tops say.
macro(run)
    execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endmacro()

# expect(<program> <output>): the program succeeds and prints that.
function(expect program expected)
    execute_process(COMMAND "${build}/build/${program}" WORKING_DIRECTORY "${build}"
        OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
    if(NOT printed STREQUAL expected)
        message(FATAL_ERROR "${program} should print\n${expected}and not\n${printed}")
    endif()
endfunction()

file(REMOVE_RECURSE "${build}")
set(where "-DDURABLE_SOURCE=${source}")
set(launch "")
if(launcher)
    set(launch "-DCMAKE_CXX_COMPILER_LAUNCHER=${launcher}")
endif()
if(installed)
    run("${CMAKE_COMMAND}" --install "${installed}" --prefix "${build}/prefix")
    set(where "-DCMAKE_PREFIX_PATH=${build}/prefix")

    file(GLOB_RECURSE expected RELATIVE "${source}/include" "${source}/include/*.hpp")
    file(GLOB_RECURSE found RELATIVE "${build}/prefix/include" "${build}/prefix/include/*")
    if(NOT found STREQUAL expected)
        message(FATAL_ERROR "other headers are installed than there are:\n${found}\n"
            "and not\n${expected}")
    endif()
endif()
run("${CMAKE_COMMAND}" -S "${consumer}" -B "${build}/build" -G "${generator}"
    "-DCMAKE_CXX_COMPILER=${compiler}" ${launch} ${where})
run("${CMAKE_COMMAND}" --build "${build}/build")
expect(consumer "durable ${version}\nHello, world!\nHello, world!\n")
if(installed)
    expect(memory/memory "Hello, memory!\n")
endif()
