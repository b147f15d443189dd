# sim: the lying disk is a library of its own, so that tests of the store can stand on it. The network and the actors are
# another: `paddock demo` has the actors without the disk.
add_library(sim_disk STATIC ${CMAKE_SOURCE_DIR}/sim/disk.c ${CMAKE_SOURCE_DIR}/sim/disk_platter.c)
target_link_libraries(sim_disk PUBLIC store base)
file(GLOB sim_sources CONFIGURE_DEPENDS
     ${CMAKE_SOURCE_DIR}/sim/network*.c ${CMAKE_SOURCE_DIR}/sim/crowd*.c ${CMAKE_SOURCE_DIR}/sim/vehicle*.c
     ${CMAKE_SOURCE_DIR}/sim/phone*.c ${CMAKE_SOURCE_DIR}/sim/rider*.c ${CMAKE_SOURCE_DIR}/sim/staff*.c)
list(FILTER sim_sources EXCLUDE REGEX "_test\\.c$")
add_library(sim_actors STATIC ${sim_sources})
target_link_libraries(sim_actors PUBLIC net engine proto geo base)

# `paddock demo`: a server as a child process, and the actors against it over real sockets.
file(GLOB demo_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sim/demo*.c ${CMAKE_SOURCE_DIR}/sim/streets*.c)
list(FILTER demo_sources EXCLUDE REGEX "_test\\.c$")
add_library(sim_demo STATIC ${demo_sources})
target_link_libraries(sim_demo PUBLIC sim_actors ops api node net engine proto geo base)
paddock_tests(sim sim_demo sim_actors sim_disk store_life store net proto geo base)
