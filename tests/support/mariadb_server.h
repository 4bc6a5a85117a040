/// A private MariaDB server for tests: its own data directory and free port, root with a password, gone at the end.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace millrace::testing {

/// Threads: one. Lifetime: the server dies with the object.
class MariaDbServer {
 public:
  /// `arguments` go to mariadbd after our own, e.g. "--log-bin=binlog".
  explicit MariaDbServer(std::vector<std::string> arguments = {});
  ~MariaDbServer();
  MariaDbServer(const MariaDbServer&) = delete;
  MariaDbServer& operator=(const MariaDbServer&) = delete;

  /// Empty when it runs, else why it does not (no mariadbd installed, …).
  const std::string& problem() const { return problem_; }
  int port() const { return port_; }
  std::string host_port() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url(const std::string& scheme, const std::string& database) const {
    return "jdbc:" + scheme + "://" + host_port() + "/" + database;
  }
  std::string user() const { return "root"; }
  std::string password() const { return "s3cret!pw"; }

  /// Runs statements on one connection, in `database` when given; returns the first error's text, empty when fine.
  std::string run(const std::vector<std::string>& statements, const std::string& database = "") const;
  struct Table {
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;  ///< NULL as "\\N"; binary columns as hex
  };
  Table query(const std::string& sql, const std::string& database = "") const;

  void stop();
  /// On the same port and data.
  void start();

 private:
  void install();
  std::vector<std::string> arguments_;
  std::string folder_, problem_;
  int port_ = 0;
  pid_t process_ = -1;
};

}  // namespace millrace::testing
