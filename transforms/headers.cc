#include <algorithm>

#include "converters/values_parser.h"
#include "transforms/kafka_transforms.h"
#include "transforms/options.h"

namespace millrace::smt {
namespace {

class DropHeaders final : public Transformation {
 public:
  Status configure(const ConfigMap& settings) override {
    auto parsed = drop_headers_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    names_ = parsed->list("headers");
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena&) override {
    std::erase_if(record.headers, [this](const ConnectHeader& header) {
      return std::ranges::find(names_, header.key) != names_.end();
    });
    return true;
  }

 private:
  std::vector<std::string> names_;
};

class InsertHeader final : public Transformation {
 public:
  Status configure(const ConfigMap& settings) override {
    auto parsed = insert_header_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    name_ = parsed->text("header");
    literal_ = parsed->text("value.literal");
    const ParsedText value = parse_values_text(literal_, schemas_, arena_);
    header_ = {name_, value.schema, value.value};
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena&) override {
    record.headers.push_back(header_);
    return true;
  }

 private:
  std::string name_, literal_;
  SchemaPool schemas_;
  Arena arena_;
  ConnectHeader header_;  // borrows from the members above
};

}  // namespace

TransformationPtr make_drop_headers() { return std::make_unique<DropHeaders>(); }
TransformationPtr make_insert_header() { return std::make_unique<InsertHeader>(); }

const ConfigDef& drop_headers_options() {
  static const ConfigDef def = make_options({{.name = "headers",
                                              .type = ConfigType::kList,
                                              .importance = ConfigImportance::kHigh,
                                              .documentation = "Names of the headers to remove.",
                                              .validator = non_empty_list()}});
  return def;
}

const ConfigDef& insert_header_options() {
  static const ConfigDef def = make_options(
      {{.name = "header",
        .importance = ConfigImportance::kHigh,
        .documentation = "Name of the header.",
        .validator = validators::non_null()},
       {.name = "value.literal",
        .importance = ConfigImportance::kHigh,
        .documentation = "Its value for every record, read as a literal: 12, true, [1,2], 2020-01-02, or a string.",
        .validator = validators::non_null()}});
  return def;
}

}  // namespace millrace::smt
