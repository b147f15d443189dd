# street: snapshots of the street, made from committed changes. Its tests drive them with a declared city; what compares
# them with the engine serves the simulator's judge as well.
paddock_layer(street engine geo base)
add_library(street_agree STATIC ${CMAKE_SOURCE_DIR}/src/street/testing/agree.c)
target_link_libraries(street_agree PUBLIC street engine)
paddock_tests(src/street engine_town street_agree street engine geo base Threads::Threads)
