/// For golden tests: where the recordings lie and how their lines are read.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace millrace::testing {

/// MILLRACE_GOLDEN, else ../shared/golden beside the sources, else the selection in tests/golden.
inline std::filesystem::path golden_root() {
  if (const char* root = std::getenv("MILLRACE_GOLDEN")) return root;
  const std::filesystem::path source = MILLRACE_SOURCE_DIR;
  const auto shared = source.parent_path() / "shared" / "golden";
  return std::filesystem::exists(shared) ? shared : source / "tests" / "golden";
}

/// The lines of a file, which must be there: a missing recording is a failure and not an empty test.
inline std::vector<nlohmann::json> read_json_lines(const std::filesystem::path& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream in(path);
  EXPECT_TRUE(in) << path;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(nlohmann::json::parse(line));
  }
  return lines;
}

inline std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

inline std::string to_hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[(static_cast<uint8_t>(c) >> 4) & 15];
    hex += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return hex;
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace millrace::testing
