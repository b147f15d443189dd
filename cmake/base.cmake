paddock_layer(base)
paddock_tests(src/base base Threads::Threads)
