# world: the simulator's world, the server's own parts on the fake network and the lying disk.
add_library(sim_world STATIC ${CMAKE_SOURCE_DIR}/sim/world.c ${CMAKE_SOURCE_DIR}/sim/server.c ${CMAKE_SOURCE_DIR}/sim/judge.c ${CMAKE_SOURCE_DIR}/sim/outside.c
            ${CMAKE_SOURCE_DIR}/sim/coverage.c ${CMAKE_SOURCE_DIR}/sim/sim_cmd.c)
target_link_libraries(sim_world PUBLIC street_agree sim_actors sim_disk api gateway node store street net engine proto geo base)
