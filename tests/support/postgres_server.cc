#include "tests/support/postgres_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
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

namespace fs = std::filesystem;
using Handle = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

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

/// Whom the server runs as when we are root; nullptr = ourselves.
const passwd* server_user() {
  if (geteuid() != 0) return nullptr;
  const passwd* user = getpwnam("postgres");
  return user != nullptr ? user : getpwnam("nobody");
}

/// Where initdb and postgres are: the newest version that Debian installed, or empty for the PATH.
std::string program_folder() {
  std::string newest;
  int version = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const int found = std::atoi(entry.path().filename().c_str());
    if (found <= version || !fs::exists(entry.path() / "bin/initdb")) continue;
    version = found;
    newest = (entry.path() / "bin").string() + "/";
  }
  return newest;
}

Handle connect(const PostgresServer& server, const std::string& database) {
  const std::string port = std::to_string(server.port()), user = server.user(), password = server.password();
  const std::string name = database.empty() ? "postgres" : database;
  const char* keys[] = {"host", "port", "user", "password", "dbname", "client_encoding", nullptr};
  const char* values[] = {"127.0.0.1", port.c_str(), user.c_str(), password.c_str(), name.c_str(), "UTF8", nullptr};
  return {PQconnectdbParams(keys, values, 0), &PQfinish};
}

bool fine(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

}  // namespace

PostgresServer::PostgresServer(std::vector<std::string> arguments)
    : arguments_(std::move(arguments)), programs_(program_folder()) {
  std::string name = (fs::temp_directory_path() / "millrace-postgres-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    problem_ = "no temporary folder";
    return;
  }
  folder_ = name;
  if (const passwd* user = server_user(); user != nullptr && chown(name.c_str(), user->pw_uid, user->pw_gid) != 0) {
    problem_ = "the folder " + folder_ + " cannot be given to user " + user->pw_name;
    return;
  }
  port_ = free_port();
  install();
  if (problem_.empty()) start();
}

PostgresServer::~PostgresServer() {
  if (process_ > 0) {
    kill(process_, SIGQUIT);  // its children end with it, which SIGKILL does not do
    waitpid(process_, nullptr, 0);
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

pid_t PostgresServer::spawn(const std::vector<std::string>& arguments, const std::string& output) const {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const passwd* user = server_user();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  if (user != nullptr &&
      (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0 || chdir("/") != 0))
    _exit(126);
  prctl(PR_SET_PDEATHSIG, SIGQUIT);  // a crashed test leaves no server behind; a change of user clears it, so here
  if (getppid() != parent) _exit(127);
  const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(file, 1);
  dup2(file, 2);
  execvp(argv[0], argv.data());
  _exit(127);
}

void PostgresServer::install() {
  const std::string password_file = folder_ + "/password";
  {
    std::ofstream file(password_file);
    file << password() << "\n";
  }
  fs::permissions(password_file, fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read);
  const pid_t child =
      spawn({programs_ + "initdb", "--pgdata=" + folder_ + "/data", "--username=" + user(), "--pwfile=" + password_file,
             "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"},
            folder_ + "/install.log");
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) problem_ = "initdb failed; is postgresql installed? See " + folder_ + "/install.log";
}

void PostgresServer::start() {
  std::vector<std::string> command = {programs_ + "postgres",
                                      "-D",
                                      folder_ + "/data",
                                      "-p",
                                      std::to_string(port_),
                                      "-k",
                                      folder_,
                                      "-clisten_addresses=127.0.0.1",
                                      "-cfsync=off",
                                      "-csynchronous_commit=off",
                                      "-cfull_page_writes=off",
                                      "-cshared_buffers=32MB",
                                      "-cautovacuum=off",
                                      "-cTimeZone=UTC",
                                      "-clog_min_messages=warning"};
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  process_ = spawn(command, folder_ + "/server.log");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!run({"SELECT 1"}).empty()) {
    if (waitpid(process_, nullptr, WNOHANG) != 0 || std::chrono::steady_clock::now() > deadline) {
      problem_ = "postgres does not answer; see " + folder_ + "/server.log";
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void PostgresServer::stop() {
  if (process_ <= 0) return;
  kill(process_, SIGINT);  // fast: open sessions are cut off
  waitpid(process_, nullptr, 0);
  process_ = -1;
}

std::string PostgresServer::run(const std::vector<std::string>& statements, const std::string& database) const {
  const Handle handle = connect(*this, database);
  PQsetNoticeProcessor(
      handle.get(), [](void*, const char*) {}, nullptr);
  if (PQstatus(handle.get()) != CONNECTION_OK) return PQerrorMessage(handle.get());
  for (const std::string& sql : statements) {
    const Answer answer(PQexec(handle.get(), sql.c_str()), &PQclear);
    if (!fine(answer.get())) return sql + ": " + PQerrorMessage(handle.get());
  }
  return {};
}

PostgresServer::Table PostgresServer::query(const std::string& sql, const std::string& database) const {
  Table table;
  const Handle handle = connect(*this, database);
  const Answer answer(PQexec(handle.get(), sql.c_str()), &PQclear);
  if (!fine(answer.get())) {
    table.rows.push_back({PQerrorMessage(handle.get())});
    return table;
  }
  const int width = PQnfields(answer.get());
  for (int i = 0; i < width; ++i) table.columns.emplace_back(PQfname(answer.get(), i));
  for (int row = 0; row < PQntuples(answer.get()); ++row) {
    auto& out = table.rows.emplace_back();
    for (int i = 0; i < width; ++i) {
      out.emplace_back(PQgetisnull(answer.get(), row, i) != 0 ? "\\N" : PQgetvalue(answer.get(), row, i));
    }
  }
  return table;
}

}  // namespace millrace::testing
