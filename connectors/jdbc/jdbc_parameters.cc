#include "connectors/jdbc/jdbc_parameters.h"

#include <algorithm>
#include <array>
#include <utility>

namespace millrace::jdbc {
namespace {

enum class Driver { kMariaDb, kPostgreSql, kSqlite, kBoth };  // kBoth: with a server

struct KnownParameter {
  std::string_view name;
  Driver driver;
  std::string_view meaning;  ///< what it does; or, after "accepted", why it does nothing
};

constexpr std::string_view kPrepared = "accepted: statements are always prepared and rows sent in batches";
constexpr std::string_view kStreamed = "accepted: rows are always streamed";
constexpr std::string_view kReconnected = "accepted: a lost connection is opened again by itself";
constexpr std::string_view kUtf8 = "accepted: texts are always UTF-8";
constexpr std::string_view kNoKeyStore = "accepted: files are PEM, not key stores";
constexpr std::string_view kJava = "accepted: it concerns the Java driver only";
constexpr std::string_view kTls = "the TLS versions to offer, for example TLSv1.2,TLSv1.3";

/// Those of one driver stand together.
constexpr std::array kKnown = std::to_array<KnownParameter>({
    {"user", Driver::kBoth, "the user's name"},
    {"password", Driver::kBoth, "the user's password"},
    {"sslMode", Driver::kMariaDb, "DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY"},
    {"connectTimeout", Driver::kMariaDb, "milliseconds to wait for a connection"},
    {"socketTimeout", Driver::kMariaDb, "milliseconds to wait for an answer"},
    {"tcpKeepAlive", Driver::kBoth, "whether idle connections are probed"},

    {"useSSL", Driver::kMariaDb, "false: never TLS"},
    {"requireSSL", Driver::kMariaDb, "true: refuse a server without TLS"},
    {"verifyServerCertificate", Driver::kMariaDb, "true: as sslMode=VERIFY_CA"},
    {"serverSslCert", Driver::kMariaDb, "the PEM file of the certificate authority"},
    {"trustCertificateKeyStoreUrl", Driver::kMariaDb, "the PEM file of the certificate authority"},
    {"trustCertificateKeyStorePassword", Driver::kMariaDb, kNoKeyStore},
    {"trustCertificateKeyStoreType", Driver::kMariaDb, kNoKeyStore},
    {"clientCertificateKeyStoreUrl", Driver::kMariaDb, "a PEM file with the client's certificate and key"},
    {"clientCertificateKeyStorePassword", Driver::kMariaDb, "the passphrase of the client's key"},
    {"clientCertificateKeyStoreType", Driver::kMariaDb, kNoKeyStore},
    {"enabledTLSProtocols", Driver::kMariaDb, kTls},
    {"tlsVersions", Driver::kMariaDb, kTls},
    {"enabledSslProtocolSuites", Driver::kMariaDb, kTls},
    {"allowPublicKeyRetrieval", Driver::kMariaDb, "accepted: the client library asks for the key where it needs one"},
    {"serverRSAPublicKeyFile", Driver::kMariaDb, "the server's public key, for caching_sha2_password without TLS"},
    {"authenticationPluginClassName", Driver::kMariaDb, "accepted: the server names the plugin"},
    {"localSocket", Driver::kMariaDb, "the path of the server's Unix socket"},
    {"localSocketAddress", Driver::kMariaDb, "accepted: the system chooses the local address"},
    {"serverTimezone", Driver::kMariaDb, "accepted: wall clock values are read in db.timezone"},
    {"connectionTimeZone", Driver::kMariaDb, "the zone for forceConnectionTimeZoneToSession"},
    {"forceConnectionTimeZoneToSession", Driver::kMariaDb, "true: the session gets connectionTimeZone"},
    {"characterEncoding", Driver::kMariaDb, kUtf8},
    {"useUnicode", Driver::kMariaDb, kUtf8},
    {"connectionCollation", Driver::kMariaDb, "the session's collation, one of utf8mb4"},
    {"sessionVariables", Driver::kMariaDb, "variables to set after connecting, a=1,b=2"},
    {"tinyInt1isBit", Driver::kMariaDb, "whether TINYINT(1) is a boolean or a bit"},
    {"transformedBitIsBoolean", Driver::kMariaDb, "whether bits are booleans"},
    {"yearIsDateType", Driver::kMariaDb, "whether a YEAR is a date"},
    {"uuidAsString", Driver::kMariaDb, "accepted: a UUID is a string"},
    {"zeroDateTimeBehavior", Driver::kMariaDb, "EXCEPTION, CONVERT_TO_NULL or ROUND for dates like 0000-00-00"},
    {"nullDatabaseMeansCurrent", Driver::kMariaDb, "accepted: tables are looked for in the URL's database"},
    {"nullCatalogMeansCurrent", Driver::kMariaDb, "accepted: tables are looked for in the URL's database"},
    {"databaseTerm", Driver::kMariaDb, kJava},
    {"useAffectedRows", Driver::kMariaDb, "true: unchanged rows do not count as found"},
    {"useCompression", Driver::kMariaDb, "true: compress what is sent"},
    {"createDatabaseIfNotExist", Driver::kMariaDb, "true: create the URL's database"},
    {"maxAllowedPacket", Driver::kMariaDb, "accepted: the server says how much it takes"},
    {"allowMultiQueries", Driver::kMariaDb, "accepted: one statement at a time is sent"},
    {"allowLoadLocalInfile", Driver::kMariaDb, "accepted: no file is ever sent"},
    {"autoReconnect", Driver::kMariaDb, kReconnected},
    {"permitMysqlScheme", Driver::kMariaDb, "accepted: jdbc:mysql is always taken"},
    {"tcpNoDelay", Driver::kMariaDb, kJava},
    {"rewriteBatchedStatements", Driver::kMariaDb, kPrepared},
    {"useBulkStmts", Driver::kMariaDb, kPrepared},
    {"useBulkStmtsForInserts", Driver::kMariaDb, kPrepared},
    {"useServerPrepStmts", Driver::kMariaDb, kPrepared},
    {"cachePrepStmts", Driver::kMariaDb, kPrepared},
    {"prepStmtCacheSize", Driver::kMariaDb, kPrepared},
    {"prepStmtCacheSqlLimit", Driver::kMariaDb, kPrepared},
    {"useCursorFetch", Driver::kMariaDb, kStreamed},
    {"defaultFetchSize", Driver::kMariaDb, kStreamed},

    {"ssl", Driver::kPostgreSql, "true: as sslmode=verify-full"},
    {"sslmode", Driver::kPostgreSql, "disable, allow, prefer, require, verify-ca or verify-full"},
    {"sslrootcert", Driver::kPostgreSql, "the PEM file of the certificate authority"},
    {"sslcert", Driver::kPostgreSql, "the PEM file of the client's certificate"},
    {"sslkey", Driver::kPostgreSql, "the PEM file of the client's key"},
    {"sslpassword", Driver::kPostgreSql, "the passphrase of the client's key"},
    {"sslfactory", Driver::kPostgreSql, "NonValidatingFactory: as sslmode=require"},
    {"sslfactoryarg", Driver::kPostgreSql, kJava},
    {"sslhostnameverifier", Driver::kPostgreSql, kJava},
    {"sslpasswordcallback", Driver::kPostgreSql, kJava},
    {"sslNegotiation", Driver::kPostgreSql, "accepted: TLS is asked for within the protocol"},
    {"sslResponseTimeout", Driver::kPostgreSql, kJava},
    {"channelBinding", Driver::kPostgreSql, "disable, prefer or require"},
    {"gssEncMode", Driver::kPostgreSql, "disable, prefer or require: encryption by Kerberos"},
    {"connectTimeout", Driver::kPostgreSql, "seconds to wait for a connection"},
    {"socketTimeout", Driver::kPostgreSql, "seconds to wait for an answer"},
    {"loginTimeout", Driver::kPostgreSql, "accepted: see connectTimeout"},
    {"cancelSignalTimeout", Driver::kPostgreSql, kJava},
    {"currentSchema", Driver::kPostgreSql, "the search path: schema,schema"},
    {"options", Driver::kPostgreSql, "settings of the session: -c name=value"},
    {"ApplicationName", Driver::kPostgreSql, "the name in pg_stat_activity"},
    {"readOnly", Driver::kPostgreSql, "true: sources read in read-only transactions"},
    {"readOnlyMode", Driver::kPostgreSql, kJava},
    {"targetServerType", Driver::kPostgreSql, "any, primary, secondary, preferPrimary or preferSecondary"},
    {"loadBalanceHosts", Driver::kPostgreSql, "true: try the hosts in random order"},
    {"hostRecheckSeconds", Driver::kPostgreSql, kJava},
    {"stringtype", Driver::kPostgreSql, "accepted: texts fit columns of every type"},
    {"reWriteBatchedInserts", Driver::kPostgreSql, kPrepared},
    {"prepareThreshold", Driver::kPostgreSql, kPrepared},
    {"preparedStatementCacheQueries", Driver::kPostgreSql, kPrepared},
    {"preparedStatementCacheSizeMiB", Driver::kPostgreSql, kPrepared},
    {"preferQueryMode", Driver::kPostgreSql, kPrepared},
    {"binaryTransfer", Driver::kPostgreSql, kPrepared},
    {"binaryTransferEnable", Driver::kPostgreSql, kPrepared},
    {"binaryTransferDisable", Driver::kPostgreSql, kPrepared},
    {"autosave", Driver::kPostgreSql, kPrepared},
    {"cleanupSavepoints", Driver::kPostgreSql, kPrepared},
    {"defaultRowFetchSize", Driver::kPostgreSql, "the most rows of one fetch; fewer where they are large"},
    {"adaptiveFetch", Driver::kPostgreSql, kStreamed},
    {"adaptiveFetchMinimum", Driver::kPostgreSql, kStreamed},
    {"adaptiveFetchMaximum", Driver::kPostgreSql, kStreamed},
    {"maxResultBuffer", Driver::kPostgreSql, kStreamed},
    {"allowEncodingChanges", Driver::kPostgreSql, kUtf8},
    {"assumeMinServerVersion", Driver::kPostgreSql, kJava},
    {"databaseMetadataCacheFields", Driver::kPostgreSql, kJava},
    {"databaseMetadataCacheFieldsMiB", Driver::kPostgreSql, kJava},
    {"disableColumnSanitiser", Driver::kPostgreSql, kJava},
    {"escapeSyntaxCallMode", Driver::kPostgreSql, kJava},
    {"groupStartupParameters", Driver::kPostgreSql, kJava},
    {"gssLib", Driver::kPostgreSql, kJava},
    {"hideUnprivilegedObjects", Driver::kPostgreSql, kJava},
    {"jaasApplicationName", Driver::kPostgreSql, kJava},
    {"jaasLogin", Driver::kPostgreSql, kJava},
    {"kerberosServerName", Driver::kPostgreSql, "accepted: the name is postgres"},
    {"loggerFile", Driver::kPostgreSql, kJava},
    {"loggerLevel", Driver::kPostgreSql, kJava},
    {"logServerErrorDetail", Driver::kPostgreSql, kJava},
    {"logUnclosedConnections", Driver::kPostgreSql, kJava},
    {"PGDBNAME", Driver::kPostgreSql, kJava},
    {"PGHOST", Driver::kPostgreSql, kJava},
    {"PGPORT", Driver::kPostgreSql, kJava},
    {"protocolVersion", Driver::kPostgreSql, kJava},
    {"queryTimeout", Driver::kPostgreSql, kJava},
    {"quoteReturningIdentifiers", Driver::kPostgreSql, kJava},
    {"receiveBufferSize", Driver::kPostgreSql, kJava},
    {"replication", Driver::kPostgreSql, kJava},
    {"sendBufferSize", Driver::kPostgreSql, kJava},
    {"service", Driver::kPostgreSql, kJava},
    {"socketFactory", Driver::kPostgreSql, kJava},
    {"socketFactoryArg", Driver::kPostgreSql, kJava},
    {"sspiServiceClass", Driver::kPostgreSql, kJava},
    {"unknownLength", Driver::kPostgreSql, kJava},
    {"useSpnego", Driver::kPostgreSql, kJava},
    {"xmlFactoryFactory", Driver::kPostgreSql, kJava},

    {"busy_timeout", Driver::kSqlite, "milliseconds to wait for a lock"},
    {"date_class", Driver::kSqlite, "INTEGER or TEXT: how the sink writes dates and times"},
    {"date_precision", Driver::kSqlite, "MILLISECONDS or SECONDS: what whole numbers for dates and times count"},
    {"date_string_format", Driver::kSqlite, "accepted: texts are ISO 8601"},
    {"journal_mode", Driver::kSqlite, "WAL lets readers and a writer work side by side"},
    {"synchronous", Driver::kSqlite, "OFF, NORMAL, FULL or EXTRA: how careful a commit is"},
    {"foreign_keys", Driver::kSqlite, "ON: foreign keys are checked"},
    {"cache_size", Driver::kSqlite, "pages, or KiB as a negative number"},
    {"mmap_size", Driver::kSqlite, "bytes of the file to map"},
    {"temp_store", Driver::kSqlite, "where temporary tables are"},
    {"wal_autocheckpoint", Driver::kSqlite, "pages of the WAL before a checkpoint"},
    {"journal_size_limit", Driver::kSqlite, "bytes of the journal that are kept"},
    {"locking_mode", Driver::kSqlite, "NORMAL or EXCLUSIVE"},
    {"recursive_triggers", Driver::kSqlite, "ON: triggers may set off triggers"},
    {"transaction_mode", Driver::kSqlite, "accepted: writes begin with the lock for writing"},
    {"encoding", Driver::kSqlite, kUtf8},
    {"cache", Driver::kSqlite, "accepted: connections share nothing"},
    {"open_mode", Driver::kSqlite, "accepted: a source reads, a sink writes"},
    {"mode", Driver::kSqlite, "accepted: a source reads, a sink writes"},
    {"jdbc.explicit_readonly", Driver::kSqlite, "accepted: a source reads, a sink writes"},
});

/// What people write instead, too far from the right name to be found by its letters; in lower case.
struct Counterpart {
  std::string_view written;
  Driver driver;
  std::string_view meant;
};
constexpr Counterpart kCounterparts[] = {
    {"username", Driver::kMariaDb, "user"},
    {"username", Driver::kPostgreSql, "user"},
    {"ssl", Driver::kMariaDb, "sslMode"},
    {"tls", Driver::kMariaDb, "sslMode"},
    {"sslrootcert", Driver::kMariaDb, "serverSslCert"},
    {"sslca", Driver::kMariaDb, "serverSslCert"},
    {"sslcert", Driver::kMariaDb, "clientCertificateKeyStoreUrl"},
    {"sslkey", Driver::kMariaDb, "clientCertificateKeyStoreUrl"},
    {"sslpassword", Driver::kMariaDb, "clientCertificateKeyStorePassword"},
    {"options", Driver::kMariaDb, "sessionVariables"},
    {"unixsocket", Driver::kMariaDb, "localSocket"},
    {"usessl", Driver::kPostgreSql, "sslmode"},
    {"requiressl", Driver::kPostgreSql, "sslmode"},
    {"verifyservercertificate", Driver::kPostgreSql, "sslmode"},
    {"tls", Driver::kPostgreSql, "sslmode"},
    {"serversslcert", Driver::kPostgreSql, "sslrootcert"},
    {"sslca", Driver::kPostgreSql, "sslrootcert"},
    {"trustcertificatekeystoreurl", Driver::kPostgreSql, "sslrootcert"},
    {"clientcertificatekeystoreurl", Driver::kPostgreSql, "sslcert"},
    {"clientcertificatekeystorepassword", Driver::kPostgreSql, "sslpassword"},
    {"sessionvariables", Driver::kPostgreSql, "options"},
    {"schema", Driver::kPostgreSql, "currentSchema"},
    {"searchpath", Driver::kPostgreSql, "currentSchema"},
};

bool takes(const KnownParameter& known, Driver driver) {
  return known.driver == driver || (known.driver == Driver::kBoth && driver != Driver::kSqlite);
}

Driver driver_of(Scheme scheme) {
  if (scheme == Scheme::kSqlite) return Driver::kSqlite;
  return scheme == Scheme::kPostgreSql ? Driver::kPostgreSql : Driver::kMariaDb;
}

/// In lower case and without what people put between words.
std::string letters(std::string_view name) {
  std::string out = lower(name);
  std::erase_if(out, [](char c) { return c == '_' || c == '-' || c == '.'; });
  return out;
}

/// Letters to change, add or leave out to get from one to the other.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t other = std::min(row[j], row[j - 1]) + 1;
      diagonal = std::exchange(row[j], std::min(other, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
    }
  }
  return row.back();
}

const KnownParameter* find(std::string_view name, Driver driver) {
  const auto* found = std::find_if(kKnown.begin(), kKnown.end(), [&](const KnownParameter& known) {
    return takes(known, driver) && lower(known.name) == lower(name);
  });
  return found == kKnown.end() ? nullptr : found;
}

/// What `name` may stand for; nullptr when nothing is near.
const KnownParameter* nearest(std::string_view name, Driver driver) {
  const std::string written = letters(name);
  for (const Counterpart& each : kCounterparts) {
    if (each.driver == driver && each.written == written) return find(each.meant, driver);
  }
  size_t best = std::clamp<size_t>(written.size() / 3, 1, 3) + 1;
  const KnownParameter* found = nullptr;
  for (const KnownParameter& known : kKnown) {
    if (!takes(known, driver)) continue;
    if (const size_t far = distance(written, letters(known.name)); far < best) {
      best = far;
      found = &known;
    }
  }
  return found;
}

}  // namespace

std::vector<std::string> ignored_parameters(const JdbcUrl& url) {
  const Driver driver = driver_of(url.scheme);
  std::vector<std::string> ignored;
  for (const auto& [name, value] : url.parameters) {
    if (find(name, driver) != nullptr) continue;
    std::string text = name;
    if (const KnownParameter* meant = nearest(name, driver); meant != nullptr) {
      text += " (did you mean " + std::string(meant->name) + ": " + std::string(meant->meaning) + "?)";
    } else if (driver != Driver::kMariaDb && find(name, Driver::kMariaDb) != nullptr) {
      text += " (a parameter of MariaDB and MySQL)";
    } else if (driver != Driver::kPostgreSql && find(name, Driver::kPostgreSql) != nullptr) {
      text += " (a parameter of PostgreSQL)";
    }
    ignored.push_back(std::move(text));
  }
  return ignored;
}

}  // namespace millrace::jdbc
