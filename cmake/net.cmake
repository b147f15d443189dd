# net: the loop, HTTP. Debian 12 has llhttp as C sources (node-llhttp), compiled here without our warnings; Debian 13
# has it as a library (libllhttp-dev), strict by birth.
find_path(LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include PATH_SUFFIXES llhttp)
find_path(LLHTTP_SOURCE llhttp.c PATHS /usr/share/llhttp /usr/local/share/llhttp NO_DEFAULT_PATH)
find_library(LLHTTP_LIBRARY NAMES libllhttp.a llhttp)
if(LLHTTP_INCLUDE AND LLHTTP_SOURCE)
  add_library(llhttp STATIC ${LLHTTP_SOURCE}/llhttp.c ${LLHTTP_SOURCE}/api.c ${LLHTTP_SOURCE}/http.c)
  target_compile_options(llhttp PRIVATE -w -O2)
  target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE})
  target_compile_definitions(llhttp PUBLIC LLHTTP_STRICT_MODE=1)
elseif(LLHTTP_INCLUDE AND LLHTTP_LIBRARY)
  add_library(llhttp INTERFACE)
  target_link_libraries(llhttp INTERFACE ${LLHTTP_LIBRARY})
  target_include_directories(llhttp SYSTEM INTERFACE ${LLHTTP_INCLUDE})
else()
  message(FATAL_ERROR "llhttp is missing: install node-llhttp on Debian 12, libllhttp-dev on Debian 13")
endif()

find_package(CURL 7.85 REQUIRED)
paddock_layer(net base llhttp CURL::libcurl Threads::Threads)

# The fake network of net's own tests and fuzz harness; the simulator has a better one.
add_library(net_fake STATIC ${CMAKE_SOURCE_DIR}/src/net/fake/loop_fake.c ${CMAKE_SOURCE_DIR}/src/net/fake/client_fake.c)
target_link_libraries(net_fake PUBLIC net base)
paddock_tests(src/net net_fake net base)
