# tools: describe writes docs/reference/ from the tables of the engine.
add_executable(describe ${CMAKE_SOURCE_DIR}/tools/describe.c)
target_link_libraries(describe PRIVATE engine proto geo base)
