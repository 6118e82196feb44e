# For this project's own programs only: a program that uses the library keeps its own warnings.
option(DURABLE_WERROR "Treat warnings in durable's own programs as errors" ON)

add_library(durable_warnings INTERFACE)
target_compile_options(durable_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${DURABLE_WERROR}>:-Werror>)
