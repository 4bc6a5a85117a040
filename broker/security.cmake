# Users, ACLs and quotas; then the handlers of the SASL requests, which need the server's exchange.
millrace_library(NAME broker_security COLD
  SRCS security/acl.cc security/client_quotas.cc security/jaas.cc security/sasl_session.cc security/scram.cc security/security.cc
    security/security_file.cc security/security_options.cc
  DEPS core protocol
  SYSTEM OpenSSL::Crypto nlohmann_json::nlohmann_json fmt::fmt)
millrace_library(NAME broker_sasl COLD
  SRCS handlers/sasl_authenticate.cc handlers/sasl_handshake.cc
  DEPS broker_server broker_security protocol)
millrace_test(NAME broker_security SRCS security/acl_test.cc security/sasl_test.cc security/security_test.cc
  DEPS broker_security broker_sasl)
