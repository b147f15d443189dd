# sim: the lying disk (and later the rest of the world) is a library of its own, so that tests of the store can stand on it.
add_library(sim_disk STATIC ${CMAKE_SOURCE_DIR}/sim/disk.c ${CMAKE_SOURCE_DIR}/sim/disk_platter.c)
target_link_libraries(sim_disk PUBLIC store base)
paddock_tests(sim sim_disk store base)
