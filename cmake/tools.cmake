# tools: describe writes docs/reference/ from the tables of the engine.
if(TARGET engine AND TARGET proto AND TARGET geo)
  add_executable(describe ${CMAKE_SOURCE_DIR}/tools/describe.c)
  target_link_libraries(describe PRIVATE engine proto geo base)
  if(EXISTS ${CMAKE_SOURCE_DIR}/src/engine/ride.c)
    target_compile_definitions(describe PRIVATE DESCRIBE_TRANSITIONS)
  endif()
endif()
