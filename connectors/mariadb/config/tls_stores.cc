#include "connectors/mariadb/config/tls_stores.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <tuple>

namespace millrace::mariadb {
namespace {

using connectors::Code;
using connectors::Result;
using connectors::Status;

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
void free_chain(STACK_OF(X509) * chain) { sk_X509_pop_free(chain, X509_free); }
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Store = std::unique_ptr<PKCS12, Free<PKCS12_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Chain = std::unique_ptr<STACK_OF(X509), Free<free_chain>>;

std::string last_openssl_error() {
  char text[256] = "unknown";
  if (const unsigned long code = ERR_peek_last_error(); code != 0) ERR_error_string_n(code, text, sizeof(text));
  ERR_clear_error();
  return text;
}

/// What `write` writes as PEM, as a file in memory. Its descriptor stays open, for it is the file.
std::string in_memory(const char* name, const std::function<bool(BIO*)>& write) {
  Bio out(BIO_new(BIO_s_mem()));
  if (!write(out.get())) return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  const int fd = memfd_create(name, MFD_CLOEXEC);
  if (fd < 0) return {};
  if (::write(fd, data, static_cast<size_t>(size)) != size) {
    close(fd);
    return {};
  }
  return "/proc/self/fd/" + std::to_string(fd);
}

bool write_chain(BIO* out, STACK_OF(X509) * chain) {
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    if (PEM_write_bio_X509(out, sk_X509_value(chain, i)) != 1) return false;
  }
  return true;
}

Result<TlsStore> convert(const std::string& where, const std::string& content, const std::string& password) {
  Bio in(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
  Store store(d2i_PKCS12_bio(in.get(), nullptr));
  if (store == nullptr) {
    last_openssl_error();
    return Status(Code::kInvalidConfig, where + " is neither a PKCS12 nor a PEM file");
  }
  EVP_PKEY* raw_key = nullptr;
  X509* raw_certificate = nullptr;
  STACK_OF(X509)* raw_chain = nullptr;
  if (PKCS12_parse(store.get(), password.c_str(), &raw_key, &raw_certificate, &raw_chain) != 1) {
    return Status(Code::kInvalidConfig, where + " cannot be opened (" + last_openssl_error() +
                                            "): check its password; a store with an old cipher must be written anew");
  }
  const Key key(raw_key);
  const Certificate certificate(raw_certificate);
  const Chain chain(raw_chain);
  TlsStore files;
  if (chain != nullptr && sk_X509_num(chain.get()) > 0)
    files.authorities = in_memory("authorities.pem", [&](BIO* out) { return write_chain(out, chain.get()); });
  if (certificate != nullptr) {
    files.certificate = in_memory("certificate.pem", [&](BIO* out) {
      return PEM_write_bio_X509(out, certificate.get()) == 1 && (!chain || write_chain(out, chain.get()));
    });
  }
  if (key != nullptr) {
    files.key = in_memory("key.pem", [&](BIO* out) {
      return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
    });
  }
  return files;
}

Result<TlsStore> read_store(const std::string& setting, const std::string& path, const std::string& password) {
  const std::string where = setting + ": " + path;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status(Code::kInvalidConfig, where + " cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string content = text.str();
  if (content.find("-----BEGIN ") != std::string::npos) return TlsStore{path, path, path};
  if (content.starts_with("\xFE\xED\xFE\xED") || content.starts_with("\xCE\xCE\xCE\xCE")) {
    return Status(Code::kInvalidConfig, where +
                                            " is a JKS store, which only Java reads. Convert it: keytool "
                                            "-importkeystore -srckeystore " +
                                            path + " -destkeystore " + path +
                                            ".p12 -deststoretype PKCS12; or name PEM files in database.ssl.ca, "
                                            "database.ssl.cert and database.ssl.key");
  }
  return convert(where, content, password);
}

}  // namespace

Result<TlsStore> open_tls_store(const std::string& setting, const std::string& path, const std::string& password) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return Status(Code::kInvalidConfig, setting + ": " + path + " cannot be read");
  // Shared by all connectors of the process, so that restarts do not use up descriptors.
  static std::mutex mutex;
  static std::map<std::tuple<std::string, std::string, int64_t, int64_t>, TlsStore> known;
  const std::lock_guard lock(mutex);
  const auto id = std::tuple(path, password, int64_t{status.st_mtim.tv_sec}, int64_t{status.st_mtim.tv_nsec});
  if (const auto at = known.find(id); at != known.end()) return at->second;
  auto store = read_store(setting, path, password);
  if (store.ok()) known.emplace(id, *store);
  return store;
}

}  // namespace millrace::mariadb
