# include/durable/version.hpp refuses the same compilers; this says so before anything is compiled.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    message(FATAL_ERROR
        "durable needs GCC 13 or newer, or Clang; this is GCC ${CMAKE_CXX_COMPILER_VERSION} "
        "(${CMAKE_CXX_COMPILER}).\n"
        "GCC before 13 destroys temporaries inside co_await expressions twice, which corrupts "
        "memory silently. Choose another compiler with -DCMAKE_CXX_COMPILER=... or CXX=... "
        "and an empty build folder.")
endif()
