# api: jansson, libsodium and SQLite each stand behind one file.
paddock_layer(api store net engine base jansson sodium sqlite3 Threads::Threads)
paddock_tests(src/api api net_fake net store engine base)
