#include "tests/support/mariadb_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <mysql.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>
#include <utility>

namespace millrace::testing {
namespace {

using Handle = std::unique_ptr<MYSQL, decltype(&mysql_close)>;

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  close(socket);
  return ntohs(address.sin_port);
}

pid_t spawn(const std::vector<std::string>& arguments, const std::string& output) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a crashed test leaves no server behind
  if (getppid() != parent) _exit(127);
  const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(file, 1);
  dup2(file, 2);
  execvp(argv[0], argv.data());
  _exit(127);
}

std::string login_name() { return geteuid() == 0 ? "--user=root" : "--loose-skip-name-resolve"; }

}  // namespace

MariaDbServer::MariaDbServer(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {
  std::string name = (std::filesystem::temp_directory_path() / "millrace-mariadb-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    problem_ = "no temporary folder";
    return;
  }
  folder_ = name;
  port_ = free_port();
  install();
  if (problem_.empty()) start();
}

MariaDbServer::~MariaDbServer() {
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void MariaDbServer::install() {
  const pid_t child =
      spawn({"mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db",
             "--skip-name-resolve", "--innodb-flush-method=nosync", "--datadir=" + folder_ + "/data", login_name()},
            folder_ + "/install.log");
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) problem_ = "mariadb-install-db failed; is mariadb-server installed? See " + folder_ + "/install.log";
  std::ofstream init(folder_ + "/init.sql");
  init << "ALTER USER root@localhost IDENTIFIED BY '" << password() << "';\n";
}

void MariaDbServer::start() {
  const char* path = access("/usr/sbin/mariadbd", X_OK) == 0 ? "/usr/sbin/mariadbd" : "mariadbd";
  std::vector<std::string> command = {path,
                                      "--no-defaults",
                                      login_name(),
                                      "--datadir=" + folder_ + "/data",
                                      "--socket=" + folder_ + "/s",
                                      "--pid-file=" + folder_ + "/pid",
                                      "--port=" + std::to_string(port_),
                                      "--bind-address=127.0.0.1",
                                      "--init-file=" + folder_ + "/init.sql",
                                      "--skip-name-resolve=OFF",
                                      "--innodb-flush-log-at-trx-commit=0",
                                      "--innodb-flush-method=nosync",
                                      "--innodb-buffer-pool-size=32M",
                                      "--innodb-log-file-size=16M",
                                      "--character-set-server=utf8mb4",
                                      "--default-time-zone=+00:00",
                                      "--collation-server=utf8mb4_general_ci"};
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  process_ = spawn(command, folder_ + "/server.log");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!run({"SELECT 1"}).empty()) {
    if (waitpid(process_, nullptr, WNOHANG) != 0 || std::chrono::steady_clock::now() > deadline) {
      problem_ = "mariadbd does not answer; see " + folder_ + "/server.log";
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void MariaDbServer::stop() {
  if (process_ <= 0) return;
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
  process_ = -1;
}

namespace {
Handle connect(const MariaDbServer& server, const std::string& database) {
  Handle handle(mysql_init(nullptr), &mysql_close);
  const unsigned protocol = MYSQL_PROTOCOL_TCP;
  mysql_optionsv(handle.get(), MYSQL_OPT_PROTOCOL, &protocol);
  mysql_optionsv(handle.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_real_connect(handle.get(), "127.0.0.1", server.user().c_str(), server.password().c_str(),
                     database.empty() ? nullptr : database.c_str(), static_cast<unsigned>(server.port()), nullptr, 0);
  return handle;
}
}  // namespace

std::string MariaDbServer::run(const std::vector<std::string>& statements, const std::string& database) const {
  const Handle handle = connect(*this, database);
  if (mysql_errno(handle.get()) != 0) return mysql_error(handle.get());
  for (const std::string& sql : statements) {
    if (mysql_real_query(handle.get(), sql.data(), sql.size()) != 0) return sql + ": " + mysql_error(handle.get());
    if (MYSQL_RES* result = mysql_store_result(handle.get()); result != nullptr) mysql_free_result(result);
  }
  return {};
}

MariaDbServer::Table MariaDbServer::query(const std::string& sql, const std::string& database) const {
  Table table;
  const Handle handle = connect(*this, database);
  if (mysql_real_query(handle.get(), sql.data(), sql.size()) != 0) {
    table.rows.push_back({mysql_error(handle.get())});
    return table;
  }
  MYSQL_RES* result = mysql_store_result(handle.get());
  const unsigned count = mysql_num_fields(result);
  const MYSQL_FIELD* fields = mysql_fetch_fields(result);
  for (unsigned i = 0; i < count; ++i) table.columns.emplace_back(fields[i].name);
  while (MYSQL_ROW row = mysql_fetch_row(result)) {
    const unsigned long* lengths = mysql_fetch_lengths(result);
    auto& out = table.rows.emplace_back();
    for (unsigned i = 0; i < count; ++i) {
      std::string text = row[i] == nullptr ? "\\N" : std::string(row[i], lengths[i]);
      const bool binary =
          fields[i].charsetnr == 63 && (fields[i].type == MYSQL_TYPE_BLOB || fields[i].type == MYSQL_TYPE_STRING ||
                                        fields[i].type == MYSQL_TYPE_VAR_STRING);
      if (binary && row[i] != nullptr) {
        std::string hex;
        for (const char c : text) {
          char digits[3];
          std::snprintf(digits, sizeof(digits), "%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
          hex += digits;
        }
        text = hex;
      }
      out.push_back(std::move(text));
    }
  }
  mysql_free_result(result);
  return table;
}

}  // namespace millrace::testing
