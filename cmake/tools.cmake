# tools: describe writes docs/reference/ from the tables in the code. The settings come as their file alone, so that the
# documents do not wait for the whole shell.
add_executable(describe ${CMAKE_SOURCE_DIR}/tools/describe.c ${CMAKE_SOURCE_DIR}/src/ops/settings.c)
target_link_libraries(describe PRIVATE engine proto geo base)
