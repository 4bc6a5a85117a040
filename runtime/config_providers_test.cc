#include "runtime/config_providers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace millrace {
namespace {

using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr const char* kFileClass = "org.apache.kafka.common.config.provider.FileConfigProvider";

class ConfigProvidersTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/providers.XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    write("secrets.properties", "user=anna\npassword = open sesame\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  ConfigProviders providers(const ConfigMap& settings) {
    auto made = ConfigProviders::create(settings, files_);
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : ConfigProviders();
  }
  ConfigProviders file_provider() {
    return providers({{"config.providers", "file"}, {"config.providers.file.class", kFileClass}});
  }
  static std::string resolved(const ConfigProviders& providers, const std::string& text) {
    const auto settings = providers.resolve(ConfigMap{{"k", text}});
    return settings ? settings->at("k") : "error: " + settings.error().message;
  }

  PosixFileSystem files_;
  std::filesystem::path folder_;
};

TEST_F(ConfigProvidersTest, VariablesAreReplacedWhereverTheyStand) {
  const auto file = file_provider();
  const std::string path = at("secrets.properties");
  EXPECT_EQ(resolved(file, "${file:" + path + ":user}"), "anna");
  EXPECT_EQ(resolved(file, "a-${file:" + path + ":user}-${file:" + path + ":password}!"), "a-anna-open sesame!");
  EXPECT_EQ(resolved(file, "plain $ {text}"), "plain $ {text}");
}

TEST_F(ConfigProvidersTest, WhatNobodyAnswersStaysAsItIsWritten) {
  const auto file = file_provider();
  const std::string path = at("secrets.properties");
  for (const std::string& text : {"${file:" + path + ":nothing}", "${vault:" + path + ":user}", std::string("${file}"),
                                  std::string("${file:user}"), std::string("${file:" + path + ":user")}) {
    EXPECT_EQ(resolved(file, text), text);
  }
  // As in Kafka, the first ${ belongs to the variable, so this is a variable of the provider "a ${file".
  EXPECT_EQ(resolved(file, "${a ${file:" + path + ":user}"), "${a ${file:" + path + ":user}");
  EXPECT_EQ(resolved(ConfigProviders(), "${file:/none:user}"), "${file:/none:user}");
}

TEST_F(ConfigProvidersTest, AFileThatCannotBeReadIsAnError) {
  const auto settings = file_provider().resolve(RawConfig{{"k", "${file:/no/such.properties:user}"}});
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, ErrorCode::kInvalidConfig);
  EXPECT_EQ(settings.error().message, "Could not read properties from file /no/such.properties");
}

TEST_F(ConfigProvidersTest, EachResolveReadsAnewAndNullStays) {
  const auto file = file_provider();
  EXPECT_EQ(resolved(file, "${file:" + at("secrets.properties") + ":user}"), "anna");
  write("secrets.properties", "user=berta\n");
  const auto settings =
      file.resolve(RawConfig{{"a", "${file:" + at("secrets.properties") + ":user}"}, {"b", std::nullopt}, {"c", "x"}});
  ASSERT_TRUE(settings);
  EXPECT_THAT(*settings, UnorderedElementsAre(Pair("a", "berta"), Pair("b", std::nullopt), Pair("c", "x")));
}

TEST_F(ConfigProvidersTest, PathsMayBeLimited) {
  write("open/a.properties", "user=anna\n");
  write("opener/a.properties", "user=anna\n");
  const auto limited = providers({{"config.providers", " f "},
                                  {"config.providers.f.class", "FileConfigProvider"},
                                  {"config.providers.f.param.allowed.paths", at("open")}});
  EXPECT_EQ(resolved(limited, "${f:" + at("open/a.properties") + ":user}"), "anna");
  for (const char* outside : {"secrets.properties", "opener/a.properties", "open/../secrets.properties"}) {
    const std::string text = "${f:" + at(outside) + ":user}";
    EXPECT_EQ(resolved(limited, text), text);
  }
}

TEST_F(ConfigProvidersTest, ADirectoryHasAFileForEachValue) {
  write("secrets/user", "anna");
  write("secrets/sub/user", "berta");
  const auto directory =
      providers({{"config.providers", "dir"},
                 {"config.providers.dir.class", "org.apache.kafka.common.config.provider.DirectoryConfigProvider"}});
  EXPECT_EQ(resolved(directory, "${dir:" + at("secrets") + ":user}"), "anna");
  EXPECT_EQ(resolved(directory, "${dir:" + at("none") + ":user}"), "${dir:" + at("none") + ":user}");
  EXPECT_EQ(resolved(directory, "${dir:" + at("secrets") + ":sub}"), "${dir:" + at("secrets") + ":sub}");
}

TEST_F(ConfigProvidersTest, TheEnvironmentHasNoPathsAndMayBeLimited) {
  ::setenv("MILLRACE_TEST_USER", "anna", 1);
  ::setenv("MILLRACE_OTHER_USER", "berta", 1);
  const auto env = providers({{"config.providers", "env"},
                              {"config.providers.env.class", "EnvVarConfigProvider"},
                              {"config.providers.env.param.allowlist.pattern", "MILLRACE_TEST_.*"}});
  EXPECT_EQ(resolved(env, "${env:MILLRACE_TEST_USER}"), "anna");
  EXPECT_EQ(resolved(env, "${env:MILLRACE_OTHER_USER}"), "${env:MILLRACE_OTHER_USER}");
  EXPECT_EQ(resolved(env, "${env:/x:MILLRACE_TEST_USER}"),
            "error: Path is not supported for EnvVarConfigProvider, invalid value '/x'");
}

TEST_F(ConfigProvidersTest, MistakesInTheWorkersSettings) {
  const auto message = [&](const ConfigMap& settings) {
    const auto made = ConfigProviders::create(settings, files_);
    return made ? std::string() : made.error().message;
  };
  EXPECT_EQ(message({{"config.providers", "v"}, {"config.providers.v.class", "org.example.Vault"}}),
            "Invalid value org.example.Vault for configuration config.providers.v.class: Class org.example.Vault could "
            "not be found.");
  const ConfigMap file = {{"config.providers", "f"}, {"config.providers.f.class", kFileClass}};
  const auto with_paths = [&](const std::string& paths) {
    ConfigMap settings = file;
    settings["config.providers.f.param.allowed.paths"] = paths;
    return message(settings);
  };
  EXPECT_EQ(with_paths("a/b"), "Path a/b is not absolute");
  EXPECT_EQ(with_paths("/no/such/folder"), "Path /no/such/folder does not exist");
  EXPECT_THAT(message({{"config.providers", "e"},
                       {"config.providers.e.class", "EnvVarConfigProvider"},
                       {"config.providers.e.param.allowlist.pattern", "["}}),
              HasSubstr("Invalid regex"));
  // Kafka takes a provider without a class for none.
  EXPECT_EQ(message({{"config.providers", "f"}}), "");
}

}  // namespace
}  // namespace millrace
