/// A private PostgreSQL server for tests: its own data directory, free port and socket, a superuser with a password,
/// gone at the end. Works as root too, although PostgreSQL itself refuses to: the server then runs as another user.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace millrace::testing {

/// Threads: one. Lifetime: the server dies with the object.
class PostgresServer {
 public:
  /// `arguments` go to postgres after our own, e.g. "-cwal_level=logical".
  explicit PostgresServer(std::vector<std::string> arguments = {});
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  /// Empty when it runs, else why it does not (not installed, …).
  const std::string& problem() const { return problem_; }
  int port() const { return port_; }
  std::string host_port() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url(const std::string& database) const { return "jdbc:postgresql://" + host_port() + "/" + database; }
  /// Folder of the Unix socket.
  const std::string& socket_folder() const { return folder_; }
  std::string user() const { return "tester"; }
  std::string password() const { return "s3cret!pw"; }

  /// Runs statements on one connection, each on its own, in `database` when given; returns the first error's text,
  /// empty when fine.
  std::string run(const std::vector<std::string>& statements, const std::string& database = "") const;
  struct Table {
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;  ///< the server's text; NULL as "\\N"
  };
  /// A failing query gives one row with the error's text.
  Table query(const std::string& sql, const std::string& database = "") const;

  void stop();
  /// On the same port and data.
  void start();

 private:
  void install();
  pid_t spawn(const std::vector<std::string>& arguments, const std::string& output) const;

  std::vector<std::string> arguments_;
  std::string folder_, programs_, problem_;
  int port_ = 0;
  pid_t process_ = -1;
};

}  // namespace millrace::testing
