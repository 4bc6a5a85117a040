/// Java's certificate stores for a client library that reads PEM files.
#pragma once

#include <string>

#include "connectors/common/result.h"

namespace millrace::mariadb {

/// Paths of PEM files; empty when the store has none. They are in memory, readable by this process alone, and stay as
/// long as it lives: a store is read once, and again when its file has changed.
struct TlsStore {
  std::string authorities, certificate, key;
};

/// PKCS12 or PEM. kInvalidConfig names `setting`, the file and what to do; JKS is refused. Threads: any.
connectors::Result<TlsStore> open_tls_store(const std::string& setting, const std::string& path,
                                            const std::string& password);

}  // namespace millrace::mariadb
