# tools: describe writes docs/reference/ from the tables in the code.
add_executable(describe ${CMAKE_SOURCE_DIR}/tools/describe.c)
target_link_libraries(describe PRIVATE ops engine proto geo base)
