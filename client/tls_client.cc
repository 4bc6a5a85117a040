#include "client/tls_client.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <cstdio>

namespace millrace {
namespace {

struct Free {
  void operator()(SSL_CTX* it) const { ::SSL_CTX_free(it); }
  void operator()(SSL* it) const { ::SSL_free(it); }
  void operator()(BIO* it) const { ::BIO_free(it); }
  void operator()(X509* it) const { ::X509_free(it); }
  void operator()(EVP_PKEY* it) const { ::EVP_PKEY_free(it); }
  void operator()(PKCS12* it) const { ::PKCS12_free(it); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

std::string openssl_error() {
  char text[256] = "unknown error";
  if (const auto code = ::ERR_get_error(); code != 0) ::ERR_error_string_n(code, text, sizeof(text));
  ::ERR_clear_error();
  return text;
}

tl::unexpected<Error> unusable(std::string_view what) {
  return fail(ErrorCode::kInvalidConfig, fmt::format("{} cannot be used: {}", what, openssl_error()));
}

Status trust(SSL_CTX* context, const WireConnectionOptions& options) {
  if (!options.ca_file.empty()) {
    if (::SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr) != 1)
      return unusable(fmt::format("ssl.truststore.location={}", options.ca_file));
    return {};
  }
  if (options.ca_pem.empty()) {
    ::SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  const Owned<BIO> text(::BIO_new_mem_buf(options.ca_pem.data(), static_cast<int>(options.ca_pem.size())));
  int count = 0;
  while (const Owned<X509> certificate{::PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr)}) {
    ::X509_STORE_add_cert(::SSL_CTX_get_cert_store(context), certificate.get());
    ++count;
  }
  if (count == 0) return unusable("ssl.truststore.certificates");
  ::ERR_clear_error();
  return {};
}

Status show_certificate(SSL_CTX* context, X509* certificate, EVP_PKEY* key, std::string_view what) {
  if (certificate == nullptr || key == nullptr || ::SSL_CTX_use_certificate(context, certificate) != 1 ||
      ::SSL_CTX_use_PrivateKey(context, key) != 1)
    return unusable(what);
  return {};
}

Status identify(SSL_CTX* context, const WireConnectionOptions& options) {
  const auto password = const_cast<char*>(options.key_password.c_str());
  ::SSL_CTX_set_default_passwd_cb_userdata(context, password);
  if (!options.key_store_file.empty()) {
    const Owned<BIO> file(::BIO_new_file(options.key_store_file.c_str(), "rb"));
    const Owned<PKCS12> store(file ? ::d2i_PKCS12_bio(file.get(), nullptr) : nullptr);
    X509* certificate = nullptr;
    EVP_PKEY* key = nullptr;
    const std::string what = fmt::format("ssl.keystore.location={}", options.key_store_file);
    if (!store || ::PKCS12_parse(store.get(), password, &key, &certificate, nullptr) != 1) return unusable(what);
    const Owned<X509> own_certificate(certificate);
    const Owned<EVP_PKEY> own_key(key);
    return show_certificate(context, certificate, key, what);
  }
  if (!options.certificate_file.empty()) {
    const bool loaded = ::SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) == 1 &&
                        ::SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) == 1;
    return loaded ? Status{} : unusable(fmt::format("ssl.keystore.location={}", options.certificate_file));
  }
  if (options.certificate_pem.empty()) return {};
  const Owned<BIO> chain(
      ::BIO_new_mem_buf(options.certificate_pem.data(), static_cast<int>(options.certificate_pem.size())));
  const Owned<BIO> key_text(::BIO_new_mem_buf(options.key_pem.data(), static_cast<int>(options.key_pem.size())));
  const Owned<X509> certificate(::PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  const Owned<EVP_PKEY> key(::PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, password));
  return show_certificate(context, certificate.get(), key.get(),
                          "ssl.keystore.certificate.chain with ssl.keystore.key");
}

class OpenSslClient final : public TlsClient {
 public:
  OpenSslClient(Owned<SSL_CTX> context, Owned<SSL> ssl, std::string host)
      : context_(std::move(context)), ssl_(std::move(ssl)), host_(std::move(host)) {}

  Expected<short> handshake() override {
    ::ERR_clear_error();
    const int done = ::SSL_connect(ssl_.get());
    if (done == 1) return short{0};
    if (const short wanted = wanted_after(done); wanted != 0) return wanted;
    const long verdict = ::SSL_get_verify_result(ssl_.get());
    const std::string why = verdict == X509_V_OK ? openssl_error() : ::X509_verify_cert_error_string(verdict);
    return fail(Error{
        ErrorCode::kInvalidConfig,
        fmt::format("no TLS connection with {}: {}; check ssl.truststore.* and that the port speaks TLS", host_, why),
        "org.apache.kafka.common.errors.SslAuthenticationException",
        {},
        {}});
  }

  ssize_t read(char* to, size_t size, short& wanted) override {
    size_t moved = 0;
    const int done = ::SSL_read_ex(ssl_.get(), to, size, &moved);
    return result(done, moved, wanted);
  }
  ssize_t write(BytesView from, short& wanted) override {
    size_t moved = 0;
    const int done = ::SSL_write_ex(ssl_.get(), from.data(), from.size(), &moved);
    return result(done, moved, wanted);
  }

 private:
  short wanted_after(int result) const {
    const int error = ::SSL_get_error(ssl_.get(), result);
    return error == SSL_ERROR_WANT_READ ? short{POLLIN} : error == SSL_ERROR_WANT_WRITE ? short{POLLOUT} : short{0};
  }
  ssize_t result(int done, size_t moved, short& wanted) const {
    if (done == 1) return static_cast<ssize_t>(moved);
    wanted = wanted_after(done);
    ::ERR_clear_error();
    return wanted != 0 ? 0 : -1;
  }

  const Owned<SSL_CTX> context_;
  const Owned<SSL> ssl_;
  const std::string host_;
};

}  // namespace

Expected<std::unique_ptr<TlsClient>> TlsClient::create(const WireConnectionOptions& options, const std::string& host,
                                                       int socket) {
  Owned<SSL_CTX> context(::SSL_CTX_new(::TLS_client_method()));
  ::SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  ::SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (auto trusted = trust(context.get(), options); !trusted) return fail(std::move(trusted.error()));
  if (auto identified = identify(context.get(), options); !identified) return fail(std::move(identified.error()));
  ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  Owned<SSL> ssl(::SSL_new(context.get()));
  ::SSL_set_tlsext_host_name(ssl.get(), host.c_str());
  if (options.verify_host) {
    // Addresses and names are different kinds of entries in a certificate.
    if (::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl.get()), host.c_str()) != 1)
      ::SSL_set1_host(ssl.get(), host.c_str());
    ::ERR_clear_error();
  }
  ::SSL_set_fd(ssl.get(), socket);
  return std::make_unique<OpenSslClient>(std::move(context), std::move(ssl), host);
}

}  // namespace millrace
