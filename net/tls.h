/// TLS for listeners, by OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "net/transport.h"

struct ssl_ctx_st;

namespace millrace {

struct TlsOptions {
  enum class ClientAuth { kNone, kRequested, kRequired };
  std::string key_store;           ///< PEM text: private key and certificate chain; or the bytes of a PKCS12 store
  std::string key_store_password;  ///< of the store, and of the key where `key_password` is empty. Never logged.
  std::string key_password;
  std::string trust_store;  ///< PEM text or PKCS12 bytes of the authorities that may sign clients; may be empty
  std::string trust_store_password;
  ClientAuth client_auth = ClientAuth::kNone;
  std::vector<std::string> protocols = {"TLSv1.2", "TLSv1.3"};  ///< ssl.enabled.protocols
  std::string ciphers;                                          ///< OpenSSL's list for TLS 1.2; empty = its default
};

/// A server's certificate and rules. Threads: any.
class TlsContext {
 public:
  /// Errors: kInvalidConfig, saying which part of the options is wrong.
  static Expected<std::shared_ptr<TlsContext>> create(const TlsOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;

  /// The server's end of a connection. The transport keeps what it needs of the context.
  std::unique_ptr<Transport> accept(Descriptor socket) const;

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* const context_;
};

}  // namespace millrace
