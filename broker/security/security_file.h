/// What security.json holds (docs/formats/security.md). Used by Security alone.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "broker/security/acl.h"
#include "broker/security/client_quotas.h"
#include "broker/security/scram.h"
#include "core/error.h"

namespace millrace {

struct SecurityFile {
  AclSet acls;
  std::map<std::string, std::map<ScramMechanism, ScramCredential>, std::less<>> scram;
  std::map<QuotaEntity, QuotaValues> quotas;

  std::string to_json() const;
  /// Errors: kCorruption, saying what is wrong where.
  static Expected<SecurityFile> from_json(std::string_view text);
};

}  // namespace millrace
