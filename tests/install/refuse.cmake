# Script: `command` must fail, and say the error that matches `error`, or the test is failed.
execute_process(COMMAND ${command}
    RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
message("${output}")
if(NOT code MATCHES "^[1-9][0-9]*$")
    message(FATAL_ERROR "This should have failed, but its exit code is ${code}: ${command}")
endif()
# Lines are broken here and there.
string(REGEX REPLACE "[ \n]+" " " output "${output}")
if(NOT output MATCHES "${error}")
    message(FATAL_ERROR "No error like this one: ${error}")
endif()
