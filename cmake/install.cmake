if(DURABLE_FETCHED)
    message(STATUS "durable: no install rules, since dependencies were downloaded and not found")
    return()
endif()

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set_target_properties(durable_sqlite PROPERTIES EXPORT_NAME sqlite)
set_target_properties(durable_testing PROPERTIES EXPORT_NAME testing)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/durable" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.hpp")
install(TARGETS durable durable_sqlite durable_testing EXPORT durable-targets)

set(config "${CMAKE_INSTALL_LIBDIR}/cmake/durable")
install(EXPORT durable-targets NAMESPACE durable:: DESTINATION "${config}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/durable-config.cmake.in"
    durable-config.cmake INSTALL_DESTINATION "${config}")
# Before 1.0 a minor version may break; ARCH_INDEPENDENT since there is nothing but headers.
write_basic_package_version_file(durable-config-version.cmake
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
    "${CMAKE_CURRENT_BINARY_DIR}/durable-config.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/durable-config-version.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/compiler_check.cmake"
    DESTINATION "${config}")
