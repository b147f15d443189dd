# store links what its files need: SQLite for vfs.c and the tables.
paddock_layer(store engine base sqlite3)
# A data directory that takes part in the town's life, for tests of the store and of what stands on it.
add_library(store_life STATIC ${CMAKE_SOURCE_DIR}/src/store/testing/life.c)
target_link_libraries(store_life PUBLIC engine_town store)
paddock_tests(src/store store_life store base)
