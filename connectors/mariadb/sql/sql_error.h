/// What an error number of MariaDB, MySQL or libmariadb means to us and to the user.
#pragma once

#include <string_view>

#include "connectors/common/result.h"

namespace millrace::mariadb {

/// `connecting`: before the session stood, when TLS and handshake errors are a matter of settings.
connectors::Code classify_error(unsigned number, bool connecting);

/// What the user can do about it, a sentence part; empty when nothing but the server's text helps.
std::string_view advice_for(unsigned number, bool connecting);

/// Whether the connection is of no use after it.
bool breaks_connection(unsigned number);

}  // namespace millrace::mariadb
