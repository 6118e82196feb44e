# Script: configures, builds and runs the consumer project `consumer` in the empty folder `build`.
# With `installed`: installs durable, built in that folder, first.
macro(run)
    execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endmacro()

file(REMOVE_RECURSE "${build}")
set(where "-DDURABLE_SOURCE=${source}")
if(installed)
    run("${CMAKE_COMMAND}" --install "${installed}" --prefix "${build}/prefix")
    set(where "-DCMAKE_PREFIX_PATH=${build}/prefix")
endif()
run("${CMAKE_COMMAND}" -S "${consumer}" -B "${build}/build" -G "${generator}"
    "-DCMAKE_CXX_COMPILER=${compiler}" ${where})
run("${CMAKE_COMMAND}" --build "${build}/build")
run("${build}/build/consumer")
