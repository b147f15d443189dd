paddock_layer(ops api net store engine proto base)
paddock_tests(src/ops ops api net store_life store engine base)
