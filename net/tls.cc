#include "net/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

#include "net/tls_transport.h"

namespace millrace {
namespace {

struct Free {
  void operator()(BIO* p) const { ::BIO_free(p); }
  void operator()(X509* p) const { ::X509_free(p); }
  void operator()(EVP_PKEY* p) const { ::EVP_PKEY_free(p); }
  void operator()(PKCS12* p) const { ::PKCS12_free(p); }
  void operator()(SSL_CTX* p) const { ::SSL_CTX_free(p); }
  void operator()(STACK_OF(X509) * p) const { sk_X509_pop_free(p, ::X509_free); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

tl::unexpected<Error> bad(std::string_view what) {
  const unsigned long code = ::ERR_get_error();
  std::array<char, 256> reason{};
  if (code != 0) ::ERR_error_string_n(code, reason.data(), reason.size());
  ::ERR_clear_error();
  return fail(ErrorCode::kInvalidConfig, code == 0 ? std::string(what) : fmt::format("{}: {}", what, reason.data()));
}

/// What a store holds, whatever its form.
struct Store {
  Owned<EVP_PKEY> key;
  std::vector<Owned<X509>> certificates;  // the key's own first
};

int give_password(char* to, int size, int, void* password) {
  const std::string& text = *static_cast<const std::string*>(password);
  const int length = std::min(size, static_cast<int>(text.size()));
  std::copy_n(text.data(), length, to);
  return length;
}

Owned<BIO> reader(const std::string& bytes) {
  return Owned<BIO>(::BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

Store read_pem(const std::string& text, const std::string& password) {
  Store store;
  auto* secret = const_cast<std::string*>(&password);
  store.key.reset(::PEM_read_bio_PrivateKey(reader(text).get(), nullptr, give_password, secret));
  const auto from = reader(text);
  while (X509* certificate = ::PEM_read_bio_X509(from.get(), nullptr, give_password, secret))
    store.certificates.emplace_back(certificate);
  ::ERR_clear_error();  // the end of the text is an error to OpenSSL
  return store;
}

Expected<Store> read_pkcs12(const std::string& bytes, const std::string& password, std::string_view name) {
  const Owned<PKCS12> parsed(::d2i_PKCS12_bio(reader(bytes).get(), nullptr));
  if (parsed == nullptr) {
    ::ERR_clear_error();
    return bad(
        fmt::format("{} is neither PEM nor PKCS12; a JKS store is converted by `keytool -importkeystore "
                    "-srckeystore old.jks -destkeystore new.p12 -deststoretype PKCS12`",
                    name));
  }
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* chain = nullptr;
  if (::PKCS12_parse(parsed.get(), password.c_str(), &key, &certificate, &chain) != 1)
    return bad(fmt::format("{} cannot be opened, most likely its password is wrong", name));
  Store store;
  store.key.reset(key);
  if (certificate != nullptr) store.certificates.emplace_back(certificate);
  const Owned<STACK_OF(X509)> others(chain);
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    X509* other = sk_X509_value(chain, i);
    ::X509_up_ref(other);
    store.certificates.emplace_back(other);
  }
  return store;
}

Expected<Store> read_store(const std::string& bytes, const std::string& store_password, const std::string& key_password,
                           std::string_view name) {
  if (bytes.find("-----BEGIN ") != std::string::npos)
    return read_pem(bytes, key_password.empty() ? store_password : key_password);
  return read_pkcs12(bytes, store_password, name);
}

Status use_key(SSL_CTX* context, const TlsOptions& options) {
  auto store = read_store(options.key_store, options.key_store_password, options.key_password, "ssl.keystore");
  if (!store) return fail(std::move(store.error()));
  if (store->key == nullptr)
    return bad("ssl.keystore holds no private key that can be read; check ssl.key.password and the file");
  if (store->certificates.empty()) return bad("ssl.keystore holds no certificate");
  if (::SSL_CTX_use_certificate(context, store->certificates.front().get()) != 1)
    return bad("the first certificate of ssl.keystore cannot be used");
  for (size_t i = 1; i < store->certificates.size(); ++i) {
    if (::SSL_CTX_add1_chain_cert(context, store->certificates[i].get()) != 1)
      return bad("the certificate chain of ssl.keystore cannot be used");
  }
  if (::SSL_CTX_use_PrivateKey(context, store->key.get()) != 1 || ::SSL_CTX_check_private_key(context) != 1)
    return bad("the private key of ssl.keystore does not belong to its first certificate");
  return {};
}

Status use_trust(SSL_CTX* context, const TlsOptions& options) {
  if (options.client_auth == TlsOptions::ClientAuth::kNone) return {};
  const bool required = options.client_auth == TlsOptions::ClientAuth::kRequired;
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  if (options.trust_store.empty()) {
    if (::SSL_CTX_set_default_verify_paths(context) != 1) return bad("the system's authorities cannot be read");
    return {};
  }
  auto store = read_store(options.trust_store, options.trust_store_password, {}, "ssl.truststore");
  if (!store) return fail(std::move(store.error()));
  if (store->certificates.empty()) return bad("ssl.truststore holds no certificate");
  for (const auto& certificate : store->certificates) {
    ::X509_STORE_add_cert(::SSL_CTX_get_cert_store(context), certificate.get());
    ::SSL_CTX_add_client_CA(context, certificate.get());
  }
  return {};
}

Status use_protocols(SSL_CTX* context, const TlsOptions& options) {
  int lowest = 0, highest = 0;
  for (const std::string& name : options.protocols) {
    const int version = name == "TLSv1.2" ? TLS1_2_VERSION : name == "TLSv1.3" ? TLS1_3_VERSION : 0;
    if (version == 0) return bad(fmt::format("ssl.enabled.protocols has {}; TLSv1.2 and TLSv1.3 are supported", name));
    lowest = lowest == 0 ? version : std::min(lowest, version);
    highest = std::max(highest, version);
  }
  ::SSL_CTX_set_min_proto_version(context, lowest);
  ::SSL_CTX_set_max_proto_version(context, highest);
  if (!options.ciphers.empty() && ::SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) != 1)
    return bad(fmt::format("ssl.cipher.suites {} names no cipher that OpenSSL knows", options.ciphers));
  return {};
}

}  // namespace

Expected<std::shared_ptr<TlsContext>> TlsContext::create(const TlsOptions& options) {
  Owned<SSL_CTX> context(::SSL_CTX_new(::TLS_server_method()));
  if (context == nullptr) return bad("OpenSSL cannot make a context");
  // Output is staged by the transport, which may repeat a write from another address.
  ::SSL_CTX_set_mode(context.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  const unsigned char session_id_context[] = "millrace";
  ::SSL_CTX_set_session_id_context(context.get(), session_id_context, sizeof(session_id_context) - 1);
  if (auto used = use_key(context.get(), options); !used) return fail(std::move(used.error()));
  if (auto used = use_trust(context.get(), options); !used) return fail(std::move(used.error()));
  if (auto used = use_protocols(context.get(), options); !used) return fail(std::move(used.error()));
  return std::shared_ptr<TlsContext>(new TlsContext(context.release()));
}

TlsContext::~TlsContext() { ::SSL_CTX_free(context_); }

std::unique_ptr<Transport> TlsContext::accept(Descriptor socket) const {
  return make_tls_transport(std::move(socket), ::SSL_new(context_));
}

}  // namespace millrace
