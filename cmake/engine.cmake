paddock_layer(engine geo proto base)
# A declared city for the tests of the engine and of what stands on it.
add_library(engine_town STATIC ${CMAKE_SOURCE_DIR}/src/engine/testing/town.c ${CMAKE_SOURCE_DIR}/src/engine/testing/told.c)
target_link_libraries(engine_town PUBLIC engine)
paddock_tests(src/engine engine_town engine)
