paddock_layer(proto base)
paddock_tests(src/proto proto)
