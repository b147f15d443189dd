# street: snapshots of the street, made from committed changes. Its tests drive them with a declared city.
paddock_layer(street engine geo base)
paddock_tests(src/street engine_town street engine geo base Threads::Threads)
