/// Runs the client's commands in the test's process: no terminal, no patience.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "connect_client/connect_client.h"
#include "connect_client/fake_worker.h"

namespace millrace::connect {

class ClientTest : public testing::Test {
 protected:
  ClientTest()
      : folder_(std::filesystem::path(testing::TempDir()) /
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~ClientTest() override { std::filesystem::remove_all(folder_); }

  /// The exit code; what was printed is in out_ and err_ afterwards.
  int run(std::vector<std::string> arguments, const std::string& input = "", bool can_ask = false) {
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const std::chrono::milliseconds soon(1);
    Terminal terminal{in, out, err, files_, false, can_ask, {soon, soon, soon, std::chrono::milliseconds(20)}};
    const int code = run_client_command(arguments, {"standalone", "broker"}, terminal);
    out_ = out.str();
    err_ = err.str();
    return code;
  }
  /// `connectors --url <worker> …`
  int on_worker(std::vector<std::string> arguments, const std::string& input = "", bool can_ask = false) {
    arguments.insert(arguments.begin(), {"connectors", "--url", worker_.url()});
    return run(std::move(arguments), input, can_ask);
  }
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = (folder_ / name).string();
    EXPECT_TRUE(files_.write_file_atomically(path, text));
    return path;
  }

  std::filesystem::path folder_;
  PosixFileSystem files_;
  FakeWorker worker_;
  std::string out_;
  std::string err_;
};

}  // namespace millrace::connect
