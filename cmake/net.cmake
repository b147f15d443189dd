# net: the loop, HTTP. llhttp comes as C sources of Debian's node-llhttp and is compiled without our warnings.
find_path(LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include PATH_SUFFIXES llhttp)
find_path(LLHTTP_SOURCE llhttp.c PATHS /usr/share/llhttp /usr/local/share/llhttp NO_DEFAULT_PATH)
if(NOT LLHTTP_INCLUDE OR NOT LLHTTP_SOURCE)
  message(FATAL_ERROR "llhttp is missing: install node-llhttp (apt-get install node-llhttp)")
endif()
add_library(llhttp STATIC ${LLHTTP_SOURCE}/llhttp.c ${LLHTTP_SOURCE}/api.c ${LLHTTP_SOURCE}/http.c)
target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE})
target_compile_options(llhttp PRIVATE -w -O2)
target_compile_definitions(llhttp PUBLIC LLHTTP_STRICT_MODE=1)

paddock_layer(net base llhttp)

# The fake network of net's own tests and fuzz harness; the simulator has a better one.
add_library(net_fake STATIC ${CMAKE_SOURCE_DIR}/src/net/fake/loop_fake.c)
target_link_libraries(net_fake PUBLIC net base)
paddock_tests(src/net net_fake net base)
