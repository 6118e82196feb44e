# What is installed wins; what is missing is downloaded. SYSTEM keeps its warnings out.
include(FetchContent)

find_package(Threads REQUIRED)

FetchContent_Declare(nlohmann_json SYSTEM
    URL https://github.com/nlohmann/json/releases/download/v3.11.3/json.tar.xz
    FIND_PACKAGE_ARGS 3.11)

FetchContent_Declare(fmt SYSTEM
    URL https://github.com/fmtlib/fmt/archive/refs/tags/10.2.1.tar.gz
    FIND_PACKAGE_ARGS 9)

# Only headers are needed, and this archive has them in place: no CMake file of Boost's is read.
FetchContent_Declare(Boost SYSTEM
    URL https://github.com/boostorg/boost/releases/download/boost-1.85.0/boost-1.85.0-b2-nodocs.tar.xz
    SOURCE_SUBDIR none
    FIND_PACKAGE_ARGS 1.81 CONFIG COMPONENTS headers)

FetchContent_MakeAvailable(nlohmann_json fmt Boost)

if(NOT TARGET Boost::headers)
    add_library(Boost::headers INTERFACE IMPORTED GLOBAL)
    target_include_directories(Boost::headers INTERFACE "${boost_SOURCE_DIR}")
endif()

find_package(SQLite3 3.40 QUIET)
if(NOT SQLite3_FOUND)
    # SQLite's repository has no ready source file; the amalgamation is on its own site only.
    FetchContent_Declare(sqlite3 SYSTEM
        URL https://www.sqlite.org/2024/sqlite-amalgamation-3460100.zip)
    FetchContent_MakeAvailable(sqlite3)
    enable_language(C)
    add_library(durable_sqlite3 STATIC "${sqlite3_SOURCE_DIR}/sqlite3.c")
    target_include_directories(durable_sqlite3 SYSTEM PUBLIC "${sqlite3_SOURCE_DIR}")
    target_link_libraries(durable_sqlite3 PUBLIC Threads::Threads ${CMAKE_DL_LIBS})
    add_library(SQLite::SQLite3 ALIAS durable_sqlite3)
endif()

# True if one of them was downloaded: an installed package could not find it again.
set(DURABLE_FETCHED OFF)
foreach(dependency nlohmann_json fmt boost sqlite3)
    if(${dependency}_SOURCE_DIR)
        set(DURABLE_FETCHED ON)
    endif()
endforeach()
