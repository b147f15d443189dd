# api: jansson, libsodium and SQLite each stand behind one file.
paddock_layer(api store street net engine base jansson sodium sqlite3 Threads::Threads)

# The api with a test as its engine; for the tests here.
add_library(api_fake STATIC ${CMAKE_SOURCE_DIR}/src/api/fake/rig.c ${CMAKE_SOURCE_DIR}/src/api/fake/rig_street.c)
target_link_libraries(api_fake PUBLIC api net_fake)
paddock_tests(src/api api_fake api net_fake store street net engine base)
