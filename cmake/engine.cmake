paddock_layer(engine geo proto base)
paddock_tests(src/engine engine)
