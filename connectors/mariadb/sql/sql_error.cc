#include "connectors/mariadb/sql/sql_error.h"

#include <errmsg.h>
#include <mysqld_error.h>

namespace millrace::mariadb {
namespace {

using connectors::Code;

// Numbers that not every mysqld_error.h has.
constexpr unsigned kConnectionKilled = 1927, kStatementTimeout = 1969, kMustChangePassword = 1820, kExpired = 1862,
                   kSecureTransportRequired = 3159, kAccountLocked = 4151;

bool is_refusal(unsigned number) {
  switch (number) {
    case ER_ACCESS_DENIED_ERROR:
    case 1698:  // the same without a password
    case ER_DBACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_SPECIFIC_ACCESS_DENIED_ERROR:
    case ER_HOST_NOT_PRIVILEGED:
    case ER_BAD_DB_ERROR:
    case kMustChangePassword:
    case kExpired:
    case kAccountLocked:
    case kSecureTransportRequired:
    case CR_SECURE_AUTH:
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
    case CR_AUTH_PLUGIN_ERR:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool breaks_connection(unsigned number) {
  if (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) return number != CR_COMMANDS_OUT_OF_SYNC;
  switch (number) {
    case ER_SERVER_SHUTDOWN:
    case ER_NET_READ_ERROR:
    case ER_NET_READ_INTERRUPTED:
    case ER_NET_ERROR_ON_WRITE:
    case ER_NET_WRITE_INTERRUPTED:
    case kConnectionKilled:
      return true;
    default:
      return false;
  }
}

Code classify_error(unsigned number, bool connecting) {
  if (is_refusal(number)) return Code::kInvalidConfig;
  switch (number) {
    case CR_SSL_CONNECTION_ERROR:  // on a standing connection it is how a lost one looks with TLS
      return connecting ? Code::kInvalidConfig : Code::kUnavailable;
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
    case CR_UNKNOWN_HOST:
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_HANDSHAKE_ERR:
    case CR_SERVER_LOST:
    case CR_SERVER_LOST_EXTENDED:
    case CR_SOCKET_CREATE_ERROR:
    case CR_ERR_NET_READ:
    case CR_ERR_NET_WRITE:
    case ER_CON_COUNT_ERROR:
    case ER_TOO_MANY_USER_CONNECTIONS:
    case ER_USER_LIMIT_REACHED:
    case ER_HOST_IS_BLOCKED:
    case ER_LOCK_DEADLOCK:
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_QUERY_INTERRUPTED:
    case ER_OPTION_PREVENTS_STATEMENT:  // read-only during a switch-over
    case kStatementTimeout:
      return Code::kUnavailable;
    default:
      return breaks_connection(number) && number < CR_MIN_ERROR ? Code::kUnavailable : Code::kInternal;
  }
}

std::string_view advice_for(unsigned number, bool connecting) {
  switch (number) {
    case ER_ACCESS_DENIED_ERROR:
    case 1698:
      return "check database.user and database.password (ALTER USER ... IDENTIFIED BY sets one on the server), that "
             "the "
             "user may log in from this host, and, if it was created with REQUIRE SSL, set database.ssl.mode";
    case ER_DBACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
      return "grant the user SELECT on it";
    case ER_SPECIFIC_ACCESS_DENIED_ERROR:
      return "grant the user the privilege named: reading the binlog needs REPLICATION SLAVE and BINLOG MONITOR "
             "(before "
             "MariaDB 10.5 and on MySQL: REPLICATION CLIENT)";
    case ER_HOST_NOT_PRIVILEGED:
      return "create the user for this host, or for '%'";
    case ER_HOST_IS_BLOCKED:
      return "run FLUSH HOSTS on the server";
    case ER_BAD_DB_ERROR:
      return "correct the name or create the database";
    case kMustChangePassword:
    case kExpired:
      return "set a new password for the user and put it into database.password";
    case kAccountLocked:
      return "run ALTER USER ... ACCOUNT UNLOCK";
    case kSecureTransportRequired:
      return "the server demands TLS: set database.ssl.mode to trust, verify-ca or verify-full";
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
      return "check that the server runs and that database.hostname and database.port are right";
    case CR_UNKNOWN_HOST:
      return "check database.hostname";
    case CR_SSL_CONNECTION_ERROR:
      return connecting
                 ? "check database.ssl.mode and the certificate files; a server without TLS needs the mode disable"
                 : "";
    case CR_SECURE_AUTH:
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
    case CR_AUTH_PLUGIN_ERR:
      return "give the user an authentication that this client knows, e.g. mysql_native_password or ed25519";
    case ER_CON_COUNT_ERROR:
    case ER_TOO_MANY_USER_CONNECTIONS:
    case ER_USER_LIMIT_REACHED:
      return "too many connections: raise max_connections or the user's limit, or close some";
    default:
      return "";
  }
}

}  // namespace millrace::mariadb
