# gateway: vehicles' connections. Its tests run on the fake network of net.
paddock_layer(gateway net engine proto base)
if(TARGET gateway)
  paddock_tests(src/gateway gateway net_fake net engine proto base)
endif()
