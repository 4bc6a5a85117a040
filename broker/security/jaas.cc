#include "broker/security/jaas.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace millrace {
namespace {

constexpr std::array<std::string_view, 4> kFlags = {"required", "requisite", "sufficient", "optional"};

/// Words, quoted strings, and = and ; by themselves, as Java's reader of these texts cuts them.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  /// Empty at the end; nothing for a quote that does not close.
  std::optional<std::string> next() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    if (at_ == text_.size()) return std::string();
    const char first = text_[at_];
    if (first == '"' || first == '\'') return quoted(first);
    if (first == '=' || first == ';') return std::string(1, text_[at_++]);
    const size_t begin = at_;
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) == 0 && text_[at_] != '=' &&
           text_[at_] != ';') {
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }
  size_t position() const { return at_; }

 private:
  std::optional<std::string> quoted(char quote) {
    std::string value;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value.push_back(text_[at_]);
    }
    if (at_ == text_.size()) return std::nullopt;
    ++at_;
    return value;
  }

  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Expected<JaasEntry> parse_jaas(std::string_view text) {
  Tokens tokens(text);
  const auto bad = [&](std::string_view expected) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("the JAAS text is broken at character {}: {} expected; write it as: LoginModule required "
                            "name=\"value\" ...;",
                            tokens.position(), expected));
  };
  JaasEntry entry;
  const auto module = tokens.next();
  if (!module || module->empty() || *module == "=" || *module == ";") return bad("the name of a login module");
  entry.module = *module;
  auto flag = tokens.next().value_or("");
  for (char& c : flag) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (std::find(kFlags.begin(), kFlags.end(), flag) == kFlags.end()) return bad("`required`");
  for (;;) {
    const auto name = tokens.next();
    if (!name || name->empty()) return bad("`;` or an option");
    if (*name == ";") return entry;
    if (tokens.next() != "=") return bad("`=`");
    auto value = tokens.next();
    if (!value) return bad("the closing quote");
    entry.options[*name] = std::move(*value);
  }
}

}  // namespace millrace
