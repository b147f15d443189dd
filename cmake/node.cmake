# node: engine, journal and keeper in their turns; `paddock`: the one binary, when every layer that it needs is there.
execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} rev-parse --short=16 HEAD OUTPUT_VARIABLE PADDOCK_COMMIT
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
# A commit is another build: configured anew, so that a journal never names the one before.
execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} rev-parse --path-format=absolute --git-path logs/HEAD OUTPUT_VARIABLE PADDOCK_HEAD_LOG
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(EXISTS "${PADDOCK_HEAD_LOG}")
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PADDOCK_HEAD_LOG})
endif()
if(NOT PADDOCK_COMMIT MATCHES "^[0-9a-f]+$")
  set(PADDOCK_COMMIT 0000000000000000)
endif()
configure_file(${CMAKE_SOURCE_DIR}/src/build_id.c.in ${CMAKE_BINARY_DIR}/build_id.c @ONLY)

add_library(node STATIC ${CMAKE_SOURCE_DIR}/src/node.c ${CMAKE_SOURCE_DIR}/src/street_begin.c ${CMAKE_SOURCE_DIR}/src/inhand.c
            ${CMAKE_BINARY_DIR}/build_id.c)
target_link_libraries(node PUBLIC store street engine base)
paddock_tests(src node sim_disk store engine base)

if(TARGET sim_demo AND TARGET api)
  add_executable(paddock ${CMAKE_SOURCE_DIR}/src/main.c ${CMAKE_SOURCE_DIR}/src/serve.c ${CMAKE_SOURCE_DIR}/src/node_metrics.c
                 ${CMAKE_SOURCE_DIR}/src/decode.c)
  target_link_libraries(paddock PRIVATE load sim_demo sim_world ops api gateway node net store street engine proto geo base Threads::Threads)
endif()
