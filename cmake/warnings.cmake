# For this project's own programs only: a program that uses the library keeps its own warnings.
add_library(durable_warnings INTERFACE)
target_compile_options(durable_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
