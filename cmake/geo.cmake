paddock_layer(geo base)
paddock_tests(src/geo geo)
