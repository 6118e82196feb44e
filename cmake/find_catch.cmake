# The target durable_catch: Catch2 with its main, whether version 3 is installed or version 2.
find_package(Catch2 3 QUIET)
if(NOT Catch2_FOUND)
    find_package(Catch2 2.13 QUIET)
endif()
if(NOT Catch2_FOUND)
    include(FetchContent)
    FetchContent_Declare(Catch2 SYSTEM
        URL https://github.com/catchorg/Catch2/archive/refs/tags/v3.7.1.tar.gz)
    FetchContent_MakeAvailable(Catch2)
    set(Catch2_VERSION 3)
endif()

if(TARGET Catch2::Catch2WithMain AND Catch2_VERSION VERSION_GREATER_EQUAL 3)
    add_library(durable_catch INTERFACE)
    target_link_libraries(durable_catch INTERFACE Catch2::Catch2WithMain)
else()
    # Version 2's own library, where there is one, was not built as C++20 and lacks string_view.
    add_library(durable_catch STATIC "${PROJECT_SOURCE_DIR}/tests/support/catch.cpp"
        "${PROJECT_SOURCE_DIR}/tests/support/main.cpp")
    target_link_libraries(durable_catch PUBLIC Catch2::Catch2)
endif()
