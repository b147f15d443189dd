# store links what its files need: SQLite for vfs.c and the tables.
paddock_layer(store engine base sqlite3)
paddock_tests(src/store engine_town store base)
