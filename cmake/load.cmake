# load: `paddock load`, the vehicles' side of the same codecs.
file(GLOB load_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/load/*.c)
list(FILTER load_sources EXCLUDE REGEX "_test\\.c$")
add_library(load STATIC ${load_sources})
target_link_libraries(load PUBLIC api net proto geo base)
paddock_tests(load load api net proto geo base)
