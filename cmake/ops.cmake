paddock_layer(ops store engine proto base)
paddock_tests(src/ops ops store_life store engine base)
