// io.debezium.transforms.TimezoneConverter: times of the row in another time zone.

#include <re2/re2.h>

#include <algorithm>

#include "converters/civil_date.h"
#include "transforms/debezium_config.h"
#include "transforms/debezium_plans.h"
#include "transforms/debezium_records.h"
#include "transforms/debezium_timezone_rules.h"
#include "transforms/debezium_transformations.h"
#include "transforms/debezium_zone.h"
#include "transforms/debezium_zoned_text.h"

namespace millrace::debezium {
namespace {

using T = ConfigType;
using I = ConfigImportance;
using W = ConfigWidth;

const Options& options() {
  static const Options all({
      {.key = config_key("converted.timezone", T::kString, nullptr, I::kHigh, W::kMedium, "Converted Timezone",
                         "The time zone to convert to: a region (America/Los_Angeles) or an offset (+08:00)."),
       .required = true},
      {.key = config_key("include.list", T::kList, nullptr, I::kHigh, W::kMedium, "Include List",
                         "What to convert: source:<table>[:<field>], topic:<topic>[:<field>] or <name>:<field>."),
       .check = checks::regex_list("include.list")},
      {.key = config_key("exclude.list", T::kList, nullptr, I::kHigh, W::kMedium, "Exclude List",
                         "What to leave as it is, written as in include.list."),
       .check = checks::regex_list("exclude.list")},
  });
  return all;
}

/// Names that Java takes for time zones only in its oldest classes: they pass the check, but cannot be used.
bool is_old_java_zone(std::string_view name) {
  constexpr std::string_view kNames[] = {"ACT", "AET", "AGT", "ART", "AST", "BET", "BST", "CAT", "CNT", "CST",
                                         "CTT", "EAT", "ECT", "EST", "HST", "IET", "IST", "JST", "MIT", "MST",
                                         "NET", "NST", "PLT", "PNT", "PRT", "PST", "SST", "VST"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

enum class Form : uint8_t {
  kMillis,
  kMicros,
  kNanos,
  kDateTimeText,
  kTimeText,
  kEpochMillis,
  kEpochMicros,
  kEpochNanos
};

constexpr int64_t units_in_second(Form form) {
  if (form == Form::kMillis || form == Form::kEpochMillis) return 1'000;
  return form == Form::kMicros || form == Form::kEpochMicros ? 1'000'000 : 1'000'000'000;
}

/// The form of a field's times; nothing when it is not converted.
std::optional<Form> form_of(const Field& field, bool of_source) {
  if (!field.schema->name()) {
    if (!of_source) return {};
    if (field.name == "ts_ms") return Form::kEpochMillis;
    if (field.name == "ts_us") return Form::kEpochMicros;
    if (field.name == "ts_ns") return Form::kEpochNanos;
    return {};
  }
  const std::string& name = *field.schema->name();
  if (name == kTimestampName || name == "io.debezium.time.Timestamp") return Form::kMillis;
  if (name == "io.debezium.time.MicroTimestamp") return Form::kMicros;
  if (name == "io.debezium.time.NanoTimestamp") return Form::kNanos;
  if (name == "io.debezium.time.ZonedTimestamp") return Form::kDateTimeText;
  if (name == "io.debezium.time.ZonedTime") return Form::kTimeText;
  return {};
}

struct Conversion {
  uint32_t field = 0;
  Form form = Form::kMillis;
};
/// A struct of the envelope in which something changes.
struct Part {
  uint32_t index = 0;
  const Schema* schema = nullptr;
  std::vector<Conversion> conversions;
};
struct Plan {
  SchemaPtr envelope;
  std::optional<std::pair<uint32_t, uint32_t>> table;  ///< of source, and in it
  std::vector<std::vector<Part>> by_rule;
};

std::vector<Part> plan_rule(const Schema& envelope, const TimezoneRule& rule) {
  std::vector<Part> parts;
  for (auto [name, names] : {std::pair{kBefore, &rule.before}, {kAfter, &rule.after}, {kSource, &rule.source}}) {
    const auto index = envelope.field_index(name);
    if (!index || envelope.fields()[*index].schema->type() != Type::kStruct) continue;
    if (name == kSource && names->empty()) continue;  // only when it was asked for
    Part part{static_cast<uint32_t>(*index), envelope.fields()[*index].schema.get(), {}};
    for (uint32_t i = 0; i < part.schema->fields().size(); ++i) {
      const Field& field = part.schema->fields()[i];
      const auto form = form_of(field, name == kSource);
      if (form && rule.takes(*names, field.name)) part.conversions.push_back({i, *form});
    }
    if (!part.conversions.empty()) parts.push_back(std::move(part));
  }
  return parts;
}

class TimezoneConverter final : public Transformation {
 public:
  explicit TimezoneConverter(const Clock& clock) : clock_(clock) {}
  Status configure(const ConfigMap& given) override;
  Expected<bool> apply(ConnectRecord& record, Arena& arena) override;
  void new_batch() override { plans_.new_batch(); }

 private:
  Status set_zone(const std::string& name);
  Expected<Plan> make_plan(const Schema& envelope) const;
  Status convert(Value& value, Form form, Arena& arena) const;

  const Clock& clock_;
  Expected<Zone> zone_ = Zone();  // an error is reported once a time is converted
  TimezoneRules rules_;
  SchemaPlans<Plan> plans_;
};

Status TimezoneConverter::configure(const ConfigMap& given) {
  const Settings settings(options(), given);
  if (auto status = settings.check(); !status) return status;
  const auto include = settings.list("include.list"), exclude = settings.list("exclude.list");
  auto rules = TimezoneRules::create(include, exclude);
  if (!rules) return fail(std::move(rules.error()));
  rules_ = std::move(*rules);
  if (auto status = set_zone(settings.text_or_empty("converted.timezone")); !status) return status;
  if (!include.empty() && !exclude.empty())
    return config_error("Both include and exclude lists are specified. Please specify only one.",
                        std::string(kDebezium));
  return {};
}

Status TimezoneConverter::set_zone(const std::string& name) {
  static const RE2 offset(R"([+-]\d{2}:\d{2}(:\d{2})?)");
  if (RE2::FullMatch(name, offset)) {
    zone_ = Zone::from_offset(name);
    if (!zone_) zone_.error().exception = "java.time.DateTimeException";
  } else if (is_old_java_zone(name)) {
    zone_ = bad_record("Unknown time-zone ID: " + name, "java.time.zone.ZoneRulesException");
  } else {
    zone_ = Zone::from_region(name);
    if (!zone_)
      return config_error(
          "Invalid timezone format. Please specify either a geographic timezone (e.g. America/Los_Angeles) or a UTC "
          "offset in the format of +/-hh:mm, (e.g. +08:00).",
          std::string(kDebezium));
  }
  if (!zone_) zone_.error().code = ErrorCode::kBadRecord;
  return {};
}

Expected<Plan> TimezoneConverter::make_plan(const Schema& envelope) const {
  Plan plan{envelope.shared_from_this(), {}, {}};
  if (const auto source = envelope.field_index(kSource)) {
    const Schema& schema = *envelope.fields()[*source].schema;
    const auto table = schema.type() == Type::kStruct ? schema.field_index("table") : std::nullopt;
    if (table && schema.fields()[*table].schema->type() == Type::kString)
      plan.table = {static_cast<uint32_t>(*source), static_cast<uint32_t>(*table)};
  }
  for (const TimezoneRule& rule : rules_.rules()) plan.by_rule.push_back(plan_rule(envelope, rule));
  return plan;
}

Expected<bool> TimezoneConverter::apply(ConnectRecord& record, Arena& arena) {
  if (is_null(record.value.value) || !is_envelope(record.value.schema)) return true;
  if (auto status = require_struct(record.value, "time zone conversion"); !status)
    return fail(std::move(status.error()));
  const auto planned = plans_.get(record.value.schema, [this](const Schema& schema) { return make_plan(schema); });
  if (!planned) return fail(planned.error());
  const Plan& plan = **planned;

  const Value& envelope = record.value.value;
  std::string_view table;
  if (plan.table && !is_null(envelope.u.items[plan.table->first])) {
    const Value& name = envelope.u.items[plan.table->first].u.items[plan.table->second];
    if (!is_null(name)) table = bytes_of(name);
  }
  const size_t rule = rules_.rule_for(record.topic, table);
  if (rule == TimezoneRules::kNone || plan.by_rule[rule].empty()) return true;

  Value* items = arena.allocate_array<Value>(envelope.size);
  std::copy_n(envelope.u.items, envelope.size, items);
  for (const Part& part : plan.by_rule[rule]) {
    Value& value = items[part.index];
    if (is_null(value)) continue;
    Value* fields = arena.allocate_array<Value>(value.size);
    std::copy_n(value.u.items, value.size, fields);
    for (const Conversion& conversion : part.conversions) {
      Value& field = fields[conversion.field];
      field = value_or_default(part.schema->fields()[conversion.field], field);
      if (is_null(field)) continue;
      if (auto status = convert(field, conversion.form, arena); !status) return fail(std::move(status.error()));
    }
    value.u.items = fields;
  }
  record.value.value.u.items = items;
  return true;
}

Status TimezoneConverter::convert(Value& value, Form form, Arena& arena) const {
  const bool text = form == Form::kDateTimeText || form == Form::kTimeText;
  if (value.kind != (text ? MR_STRING : MR_INT64))
    return bad_record("A time to convert is neither text nor a 64 bit number", "java.lang.ClassCastException");
  if (!zone_) return fail(zone_.error());
  if (text) {
    const bool with_date = form == Form::kDateTimeText;
    const auto moment = with_date ? parse_zoned_date_time(bytes_of(value)) : parse_zoned_time(bytes_of(value));
    if (!moment)
      return bad_record("Text '" + std::string(bytes_of(value)) + "' could not be parsed",
                        "java.time.format.DateTimeParseException");
    const int32_t offset =
        with_date ? zone_->offset_at_local(moment->local) : zone_->offset_at(floor_div(clock_.wall_ms(), 1000));
    value = string_value(at_offset(*moment, offset, with_date, arena));
    return {};
  }
  const int64_t units = units_in_second(form), second = floor_div(value.u.i64, units);
  // Times of the row are taken for what clocks there show; those of the source are moved to what clocks show there.
  value.u.i64 +=
      form >= Form::kEpochMillis ? zone_->offset_at(second) * units : -zone_->offset_at_local(second) * units;
  return {};
}

}  // namespace

std::unique_ptr<Transformation> make_timezone_converter(const Clock& clock) {
  return std::make_unique<TimezoneConverter>(clock);
}

TransformationClass timezone_converter_class() {
  return {"io.debezium.transforms.TimezoneConverter",
          []() -> std::unique_ptr<Transformation> {
            static const SystemClock clock;
            return make_timezone_converter(clock);
          },
          []() -> const ConfigDef& { return options().table(); }};
}

}  // namespace millrace::debezium
