# Sockets, requests and answers of the broker.
millrace_library(NAME broker_server
  SRCS server/background.cc server/broker_server.cc server/connection.cc server/exchange.cc server/frame_reader.cc
    server/network_thread.cc server/output_queue.cc server/request_header.cc server/server_options.cc
  DEPS core net protocol broker_security
  SYSTEM fmt::fmt Threads::Threads)
millrace_test(NAME broker_server SRCS server/broker_server_test.cc server/frame_reader_test.cc server/server_options_test.cc
    server/tls_server_test.cc
  DEPS broker_server SYSTEM OpenSSL::SSL)
