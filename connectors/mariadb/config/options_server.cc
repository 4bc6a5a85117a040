/// The server: where it is, who we are there, TLS.
#include "connectors/mariadb/config/option_tables.h"

#include <array>

namespace millrace::mariadb {
namespace {

using sdk::Importance;
using sdk::kNull;
using sdk::Type;
using sdk::Width;

constexpr std::string_view kServerGroup = "MariaDB";

constexpr std::array kKeys = std::to_array<sdk::ConfigKey>({
    {"topic.prefix", Type::kString, kNull, Importance::kHigh,
     "Required. Names this server in everything that is written: first part of all topics, the schema-change topic "
     "itself, part of the stored offsets. Letters, digits, dot, underscore and hyphen. Never change it, or the "
     "connector starts anew.",
     kServerGroup, 1, Width::kMedium, "Topic prefix"},
    {"database.hostname", Type::kString, kNull, Importance::kHigh,
     "Required. Host name or address of the database server.", kServerGroup, 2, Width::kMedium, "Hostname"},
    {"database.port", Type::kInt, "3306", Importance::kHigh, "TCP port of the database server.", kServerGroup, 3,
     Width::kShort, "Port"},
    {"database.user", Type::kString, kNull, Importance::kHigh,
     "Required. Needs SELECT, REPLICATION SLAVE and, for binlog positions, BINLOG MONITOR (REPLICATION CLIENT before "
     "10.5).",
     kServerGroup, 4, Width::kShort, "User"},
    {"database.password", Type::kPassword, kNull, Importance::kHigh,
     "Password of database.user; better a variable of a config provider than plain text.", kServerGroup, 5,
     Width::kShort, "Password"},
    {"database.query.timeout.ms", Type::kInt, "600000", Importance::kLow,
     "Milliseconds after which a statement is given up; 0 = never.", kServerGroup, 6, Width::kNone, "Query timeout"},
    {"database.initial.statements", Type::kString, kNull, Importance::kLow,
     "SQL statements, separated by semicolons (two are one that belongs to the text), run on each new connection but "
     "not on the one that reads the binlog.",
     kServerGroup, 7, Width::kLong, "Initial statements"},
    {"database.server.id", Type::kLong, kNull, Importance::kHigh,
     "Required. Our number among the replicas of this server, 1 to 4294967295. Two readers with one number throw each "
     "other out.",
     kServerGroup, 8, Width::kLong, "Cluster ID"},
    {"database.server.id.offset", Type::kLong, "10000", Importance::kHigh,
     "Accepted; no further replica connections are opened.", kServerGroup, 9, Width::kLong, "Cluster ID offset"},
    {"database.ssl.keystore", Type::kString, kNull, Importance::kMedium,
     "Our certificate and key for TLS: a PKCS12 file, or PEM with database.ssl.cert and database.ssl.key. JKS files "
     "must be converted with keytool.",
     kServerGroup, 10, Width::kLong, "SSL Keystore"},
    {"database.ssl.keystore.password", Type::kPassword, kNull, Importance::kMedium,
     "Password of database.ssl.keystore.", kServerGroup, 11, Width::kMedium, "SSL Keystore Password"},
    {"database.ssl.truststore", Type::kString, kNull, Importance::kMedium,
     "Certificates of the authorities we trust: a PKCS12 or PEM file; see database.ssl.ca, too.", kServerGroup, 12,
     Width::kLong, "SSL Truststore"},
    {"database.ssl.truststore.password", Type::kPassword, kNull, Importance::kMedium,
     "Password of database.ssl.truststore.", kServerGroup, 13, Width::kMedium, "SSL Truststore Password"},
    {"database.ssl.mode", Type::kString, "disable", Importance::kMedium,
     "TLS to the server: disable, trust (any certificate), verify-ca, verify-full (its name, too). MySQL's words are "
     "understood as well.",
     kServerGroup, 14, Width::kMedium, "SSL mode"},
    {"database.ssl.ca", Type::kString, kNull, Importance::kMedium,
     "PEM file of the authorities we trust, in place of database.ssl.truststore.", kServerGroup, 15, Width::kLong,
     "TLS authorities (PEM)"},
    {"database.ssl.cert", Type::kString, kNull, Importance::kMedium,
     "PEM file of our certificate, in place of database.ssl.keystore.", kServerGroup, 16, Width::kLong,
     "TLS certificate (PEM)"},
    {"database.ssl.key", Type::kString, kNull, Importance::kMedium, "PEM file of our certificate's key.", kServerGroup,
     17, Width::kLong, "TLS key (PEM)"},
});

}  // namespace

std::span<const sdk::ConfigKey> server_options() { return kKeys; }

}  // namespace millrace::mariadb
