# tools: describe writes docs/reference/ from the tables in the code. The settings come as their file alone, so that the
# documents do not wait for the whole shell.
file(GLOB describe_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/describe*.c)
add_executable(describe ${describe_sources} ${CMAKE_SOURCE_DIR}/src/ops/settings.c)
target_link_libraries(describe PRIVATE api engine proto geo base)
