#!/usr/bin/env python3
"""Turns the message descriptions in protocol/messages/*.msg into C++ structs with encode() and decode().

    generate_messages.py OUT_DIR FILE.msg...     writes FILE.h, FILE.cc for each, and json_N.cc with registry.h/.cc

A description (docs/formats/messages.md tells the whole language):

    # What the API is for.
    api 0 Produce
    flexible 9+
    request 0-13
      transactionalId string? 3+ = null      # field, type ("?" nullable), versions, default
      topicData []TopicProduceData           # an array of a struct whose fields are indented below
        name string 0-12
    response 0-13
      ...
    record OffsetCommitValue 0-4 flexible 4+  # a message that lives in a topic, after an int16 version

Versions left out are all versions. `tag 2 10+` makes a field a tagged one in versions 10 and up.
"""
import pathlib
import re
import sys
from dataclasses import dataclass, field

ALL = (0, 32767)
JSON_FILES = 8
RESERVED = {"default", "operator", "namespace", "delete", "register", "new", "version"}
NUMBERS = {"int8": "int8_t", "int16": "int16_t", "uint16": "uint16_t", "int32": "int32_t", "uint32": "uint32_t", "int64": "int64_t"}
SIMPLE = {**NUMBERS, "bool": "bool", "float64": "double", "uuid": "Uuid"}


def snake(name):
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return name + "_" if name in RESERVED else name


def parse_range(text):
    match = re.fullmatch(r"(\d+)(\+|-(\d+))?", text)
    if not match:
        return None
    low = int(match[1])
    return (low, 32767) if match[2] == "+" else (low, int(match[3] or low))


def within(inner, outer):
    return inner[0] <= outer[0] and inner[1] >= outer[1]


@dataclass
class Field:
    name: str
    type: str  # element type for arrays
    array: bool
    nullable: tuple = None  # versions
    versions: tuple = ALL
    tag: int = None
    tag_versions: tuple = None
    default: str = None
    inflexible: bool = False
    fields: list = field(default_factory=list)

    @property
    def member(self):
        return snake(self.name)

    @property
    def is_struct(self):
        return self.type[0].isupper()


@dataclass
class Message:
    name: str
    kind: str  # request, response, record
    versions: tuple
    flexible: tuple
    key: int = -1
    structs: dict = field(default_factory=dict)
    fields: list = field(default_factory=list)
    doc: str = ""


def parse_field(words, where):
    name, type_ = words[0], words[1]
    match = re.fullmatch(r"(\[\])?(\w+)(\?(\S*))?", type_)
    if not match:
        raise SystemExit(f"{where}: {type_} is no type")
    parsed = Field(name, match[2], bool(match[1]))
    if match[3]:
        parsed.nullable = parse_range(match[4]) if match[4] else ALL
    at = 2
    while at < len(words):
        if words[at] == "=":
            parsed.default, at = words[at + 1], at + 2
        elif words[at] == "inflexible":
            parsed.inflexible, at = True, at + 1
        elif words[at] == "tag":
            parsed.tag, at = int(words[at + 1]), at + 2
            parsed.tag_versions = ALL
            if at < len(words) and parse_range(words[at]):
                parsed.tag_versions, at = parse_range(words[at]), at + 1
        elif parse_range(words[at]):
            parsed.versions, at = parse_range(words[at]), at + 1
        else:
            raise SystemExit(f"{where}: what is {words[at]}?")
    return parsed


def parse_file(path):
    messages, doc, key, api, flexible = [], [], -1, None, None
    stack = []  # (indent, list that takes fields)
    for number, raw in enumerate(path.read_text().splitlines(), 1):
        where = f"{path.name}:{number}"
        if raw.startswith("#"):
            doc.append(raw[1:].strip())
        line = raw.split("#")[0].rstrip()
        if not line.strip():
            continue
        indent, words = len(line) - len(line.lstrip()), line.split()
        if indent == 0 and words[0] == "api":
            key, api = int(words[1]), words[2]
        elif indent == 0 and words[0] == "flexible":
            flexible = parse_range(words[1])
        elif indent == 0 and words[0] in ("request", "response"):
            messages.append(Message(api + words[0].capitalize(), words[0], parse_range(words[1]), flexible, key, doc=" ".join(doc)))
            stack = [(0, messages[-1].fields)]
        elif indent == 0 and words[0] == "record":
            messages.append(Message(words[1], "record", parse_range(words[2]), parse_range(words[4]) if len(words) > 4 else None, doc=" ".join(doc)))
            doc, stack = [], [(0, messages[-1].fields)]
        elif indent > 0 and messages:
            while stack[-1][0] >= indent:
                stack.pop()
            if words[0] == "struct":
                stack.append((indent, messages[-1].structs.setdefault(words[1], [])))
                continue
            parsed = parse_field(words, where)
            stack[-1][1].append(parsed)
            stack.append((indent, parsed.fields))
        else:
            raise SystemExit(f"{where}: cannot read {line!r}")
    return messages


def collect_structs(message):
    """All structs of a message, inner ones first."""
    ordered = {}

    def visit(name, fields):
        for f in fields:
            if f.is_struct:
                visit(f.type, f.fields or message.structs.get(f.type, []))
        if name and name not in ordered:
            ordered[name] = fields

    for name, fields in message.structs.items():
        visit(name, fields)
    visit(None, message.fields)
    return ordered


# ---- C++ types and defaults


def base_type(f):
    if f.type in SIMPLE:
        return SIMPLE[f.type]
    return {"string": "std::string_view", "bytes": "BytesView", "records": "Records"}.get(f.type, f.type)


def cpp_type(f):
    type_ = f"std::vector<{base_type(f)}>" if f.array else base_type(f)
    return f"std::optional<{type_}>" if f.nullable and f.type != "records" else type_


def default_value(f):
    """The value of a new message, as a C++ expression; empty for T{}."""
    if f.type == "records":
        return "Records{true, {}, 0}" if f.nullable else ""
    if f.nullable:
        if f.default == "null":
            return "std::nullopt"
        return f"{cpp_type(f)[14:-1]}{{}}" if not f.default else f'"{f.default}"'
    if f.default is None or f.default == "":
        return ""
    if f.type == "string":
        return f'"{f.default}"'
    if f.type == "int64":
        if f.default == "-9223372036854775808":
            return "INT64_MIN"
        return f"{f.default}" if abs(int(f.default, 0)) < 2**31 else f"{f.default}LL"
    if f.type == "int32" and f.default == "-2147483648":
        return "INT32_MIN"
    return str(f.default)


def declare_struct(name, fields, indent, out, message=None):
    pad = "  " * indent
    for f in fields:
        value = default_value(f)
        out.append(f"{pad}{cpp_type(f)} {f.member}{{}};" if not value else f"{pad}{cpp_type(f)} {f.member} = {value};")
    out.append(f"{pad}bool operator==(const {name}&) const = default;")
    out.append(f"{pad}void decode(WireReader& in, int16_t version);")
    out.append(f"{pad}void encode(WireWriter& out, int16_t version) const;")


def header(messages, source):
    out = [f"// Generated from protocol/messages/{source} by protocol/generate_messages.py. Do not edit.", "#pragma once", "",
           '#include "protocol/wire.h"', "", "namespace millrace {", ""]
    for m in messages:
        if m.doc:
            out.append(f"/// {m.doc}")
        out.append(f"struct {m.name} {{")
        if m.key >= 0:
            out.append(f"  static constexpr int16_t kApiKey = {m.key};")
        out.append(f"  static constexpr int16_t kVersionMin = {m.versions[0]};")
        out.append(f"  static constexpr int16_t kVersionMax = {m.versions[1]};")
        out.append(f"  static constexpr int16_t kFlexibleFrom = {m.flexible[0] if m.flexible else 32767};")
        out.append("")
        for name, fields in collect_structs(m).items():
            out.append(f"  struct {name} {{")
            declare_struct(name, fields, 2, out)
            out.append("  };")
            out.append("")
        declare_struct(m.name, m.fields, 1, out)
        out += ["};", ""]
    out.append("}  // namespace millrace")
    return "\n".join(out) + "\n"


# ---- conditions


def condition(versions, valid):
    """A C++ condition that `version` lies in `versions`, empty when all valid versions do."""
    parts = []
    if versions[0] > valid[0]:
        parts.append(f"version >= {versions[0]}")
    if versions[1] < valid[1]:
        parts.append(f"version <= {versions[1]}")
    return " && ".join(parts)


def guarded(cond, lines):
    if not cond:
        return lines
    return [f"if ({cond}) {lines[0]}"] if len(lines) == 1 else [f"if ({cond}) {{"] + ["  " + l for l in lines] + ["}"]


def compact(f):
    return "false" if f.inflexible else "flexible"


def read_scalar(f, target):
    if f.type in NUMBERS:
        return f"{target} = in.number<{NUMBERS[f.type]}>();"
    return {"bool": f"{target} = in.boolean();", "float64": f"{target} = in.float64();", "uuid": f"{target} = in.uuid();",
            "string": f"{target} = in.string({compact(f)});", "bytes": f"{target} = in.bytes({compact(f)});"}.get(
                f.type, f"{target}.decode(in, version);")


def read_lines(f, valid):
    if f.type == "records":
        return [f"{f.member} = in.records({compact(f)}, {'true' if f.nullable else 'false'});"]
    if f.array:
        element = read_scalar(f, "element")
        rest = f"{compact(f)}, [&](auto& element) {{ {element} }});"
        if not f.nullable:
            return [f"in.array({f.member}, {rest}"]
        cond = condition(f.nullable, valid)
        null = f"in.nullable_array({f.member}, {rest}"
        return [null] if not cond else [f"if ({cond}) {null}", f"else in.array({f.member}.emplace(), {rest}"]
    if not f.nullable:
        return [read_scalar(f, f.member)]
    plain = read_scalar(f, f.member)
    if f.type == "string":
        null = f"{f.member} = in.nullable_string({compact(f)});"
    elif f.type == "bytes":
        null = f"{f.member} = in.nullable_bytes({compact(f)});"
    else:  # a struct behind a byte that is negative for null
        return [f"if (in.number<int8_t>() < 0) {f.member}.reset();", f"else {f.member}.emplace().decode(in, version);"]
    cond = condition(f.nullable, valid)
    return [null] if not cond else [f"if ({cond}) {null}", f"else {plain}"]


def write_scalar(f, source):
    if f.type in NUMBERS:
        return f"out.number({source});"
    return {"bool": f"out.boolean({source});", "float64": f"out.float64({source});", "uuid": f"out.uuid({source});",
            "string": f"out.string({compact(f)}, {source});", "bytes": f"out.bytes({compact(f)}, {source});"}.get(
                f.type, f"{source}.encode(out, version);")


def write_lines(f, valid):
    if f.type == "records":
        return [f"out.records({compact(f)}, {f.member});"]
    if f.array:
        element = write_scalar(f, "element")
        body = [f"out.array_length({compact(f)}, {{0}}.size());", f"for (const auto& element : {{0}}) {element}"]
        if not f.nullable:
            return [b.format(f.member).replace("{{", "{") for b in body]
        return ([f"if ({f.member}) {{"] + ["  " + b.format("*" + f.member if ".size" not in b else f"(*{f.member})").replace("(*" + f.member + ").", f.member + "->")
                                           for b in body] + ["} else {", f"  out.null_array({compact(f)});", "}"])
    if not f.nullable:
        return [write_scalar(f, f.member)]
    if f.type in ("string", "bytes"):
        null = f"out.nullable_{f.type}({compact(f)}, {f.member});"
        cond = condition(f.nullable, valid)
        plain = write_scalar(f, f"{f.member}.value_or({'std::string_view' if f.type == 'string' else 'BytesView'}{{}})")
        return [null] if not cond else [f"if ({cond}) {null}", f"else {plain}"]
    return [f"out.number(static_cast<int8_t>({f.member} ? 1 : -1));", f"if ({f.member}) {f.member}->encode(out, version);"]


def differs(f):
    """A C++ condition that a tagged field is not at its default (then it stands on the wire)."""
    if f.nullable and f.default == "null":
        return f"{f.member}"
    if f.array:
        return f"!{f.member}.empty()" if not f.nullable else f"!{f.member} || !{f.member}->empty()"
    if f.type == "bool":
        return f.member if f.default != "true" else f"!{f.member}"
    if f.type == "string" and not f.default:
        return f"!{f.member}.empty()" if not f.nullable else f"{f.member} != std::string_view()"
    if f.type == "uuid":
        return f"!{f.member}.is_zero()"
    return f"!({f.member} == {default_value(f) or f'decltype({f.member})' + '{}'})"


def tag_condition(f, m):
    return condition((max(f.tag_versions[0], f.versions[0]), min(f.tag_versions[1], f.versions[1])), m.versions)


def codec_functions(scope, fields, m, out):
    flexible_always = m.flexible and m.flexible[0] <= m.versions[0]
    tagged = [f for f in fields if f.tag is not None]
    uses_flexible = m.flexible is not None

    def open_function(signature, reading):
        out.append(signature)
        if uses_flexible:
            out.append(f"  const bool flexible = {'true' if flexible_always else f'version >= {m.flexible[0]}'};")
        else:
            out.append("  constexpr bool flexible = false;")
        out.append("  (void)flexible;")
        out.append("  (void)version;")
        if not fields and not uses_flexible:
            out.append("  (void)in;" if reading else "  (void)out;")

    def plain_condition(f):
        cond = condition(f.versions, m.versions)
        if f.tag is None:
            return cond
        untagged = tag_condition(f, m)
        return None if not untagged or (f.versions[0] >= f.tag_versions[0]) else f"{cond + ' && ' if cond else ''}!({untagged})"

    open_function(f"void {scope}::decode(WireReader& in, int16_t version) {{", True)
    for f in fields:
        cond = plain_condition(f)
        if cond is not None:
            out += ["  " + l for l in guarded(cond, read_lines(f, m.versions))]
    if uses_flexible:
        body = ["in.skip_tagged_fields();"]
        if tagged:
            body = ["in.tagged_fields([&](uint32_t tag) {"]
            body.append("  switch (tag) {")
            for f in tagged:
                cond = tag_condition(f, m)
                lines = read_lines(f, m.versions)
                body.append(f"    case {f.tag}:")
                if cond:
                    body.append(f"      if (!({cond})) return false;")
                body += ["      " + l for l in lines] + ["      return true;"]
            body += ["    default: return false;", "  }", "});"]
        out += ["  " + l for l in guarded("" if flexible_always else "flexible", body)]
    out += ["}", ""]

    open_function(f"void {scope}::encode(WireWriter& out, int16_t version) const {{", False)
    for f in fields:
        cond = plain_condition(f)
        if cond is not None:
            out += ["  " + l for l in guarded(cond, write_lines(f, m.versions))]
    if uses_flexible:
        body = []
        if tagged:
            body.append("uint32_t tags = 0;")
            for f in tagged:
                cond = tag_condition(f, m)
                body.append(f"const bool has_{f.member} = {cond + ' && (' if cond else '('}{differs(f)});".replace(f"({f.member})", f"({f.member}.has_value())" if f.nullable else f"({f.member})"))
                body.append(f"tags += has_{f.member} ? 1 : 0;")
            body.append("out.unsigned_varint(tags);")
            for f in sorted(tagged, key=lambda x: x.tag):
                body.append(f"if (has_{f.member}) {{")
                body.append(f"  out.tagged_field({f.tag}, [&](WireWriter& outer) {{")
                body.append("    WireWriter& out = outer;")
                body += ["    " + l for l in write_lines(f, m.versions)]
                body += ["  });", "}"]
        else:
            body.append("out.unsigned_varint(0);")
        out += ["  " + l for l in guarded("" if flexible_always else "flexible", body)]
    out += ["}", ""]


def source(messages, stem):
    out = [f"// Generated from protocol/messages/{stem}.msg by protocol/generate_messages.py. Do not edit.",
           f'#include "protocol/messages/{stem}.h"', "",
           "// A tagged field is written through a writer of its own, also called `out`.",
           "#pragma GCC diagnostic ignored \"-Wshadow\"", "", "namespace millrace {", ""]
    for m in messages:
        for name, fields in collect_structs(m).items():
            codec_functions(f"{m.name}::{name}", fields, m, out)
        codec_functions(m.name, m.fields, m, out)
    out.append("}  // namespace millrace")
    return "\n".join(out) + "\n"


# ---- JSON, in the form of Kafka's own converters (tools and tests only)


def json_write_value(f, value):
    if f.type in ("string", "bytes"):
        return f"json_{f.type}(out, {value});"
    return f"json_value(out, {value}, version);"


def json_read_value(f, node, target):
    if f.type == "string":
        return f"{target} = {node}.text();"
    if f.type == "bytes":
        return f"{target} = store.keep({node}.base64());"
    return f"json_read({node}, {target}, version, store);"


def json_write_lines(f):
    lines = [f'out.key("{f.name}");']
    value = f"value.{f.member}"
    if f.nullable and f.type != "records":
        lines += [f"if (!{value}) {{", "  out.null();", "} else {"]
        inner = f"(*{value})"
    else:
        lines.append("{")
        inner = value
    if f.array:
        lines += ["  out.open_array();", f"  for (const auto& element : {inner}) {json_write_value(f, 'element')}", "  out.close_array();", "}"]
    else:
        lines += [f"  {json_write_value(f, inner)}", "}"]
    return lines


def json_read_lines(f):
    target = f"value.{f.member}"
    lines = [f'if (const auto node = in.find("{f.name}")) {{']
    null = f.nullable and f.type != "records"
    if null:
        lines += ["  if (node->is_null()) {", f"    {target}.reset();", "  } else {"]
    if f.array:
        into = f"{target}.emplace()" if null else target
        lines += [f"  auto& list = {into};", "  list.resize(node->size());",
                  f"  for (size_t i = 0; i < list.size(); ++i) {json_read_value(f, 'node->at(i)', 'list[i]')}"]
    elif null and f.is_struct:
        lines.append("  " + json_read_value(f, "(*node)", f"{target}.emplace()"))
    else:
        lines.append("  " + json_read_value(f, "(*node)", target))
    if null:
        lines.append("  }")
    return lines + ["}"]


def json_functions(scope, fields, m, out):
    out.append(f"void write_json(JsonText& out, const {scope}& value, int16_t version) {{")
    out += ["  (void)version;", "  (void)value;", "  out.open_object();"]
    for f in fields:
        cond = condition(f.versions, m.versions)
        if f.tag is not None:
            extra = re.sub(rf"(?<![\w.]){f.member}(?![\w(])", f"value.{f.member}", differs(f))
            if f.nullable and f.default == "null":
                extra += ".has_value()"
            tagged = tag_condition(f, m)
            extra = f"(!({tagged}) || {extra})" if tagged and f.versions[0] < f.tag_versions[0] else f"({extra})"
            cond = f"{cond} && {extra}" if cond else extra
        out += ["  " + l for l in guarded(cond, json_write_lines(f))]
    out += ["  out.close_object();", "}"]
    out.append(f"void read_json(const JsonNode& in, {scope}& value, int16_t version, MessageStore& store) {{")
    out += ["  (void)version;", "  (void)value;", "  (void)store;", "  (void)in;"]
    for f in fields:
        out += ["  " + l for l in json_read_lines(f)]
    out += ["}", ""]


def json_source(files):
    out = ["// Generated by protocol/generate_messages.py. Do not edit.", '#include "protocol/message_json.h"', '#include "protocol/messages/registry.h"', ""]
    out += [f'#include "protocol/messages/{stem}.h"' for stem, _ in files]
    out += ["", "namespace millrace {", ""]
    for _, messages in files:
        for m in messages:
            scopes = [(f"{m.name}::{n}", fs) for n, fs in collect_structs(m).items()] + [(m.name, m.fields)]
            for scope, _ in scopes:
                out.append(f"void write_json(JsonText& out, const {scope}& value, int16_t version);")
                out.append(f"void read_json(const JsonNode& in, {scope}& value, int16_t version, MessageStore& store);")
    out.append('')
    out.append('}  // namespace millrace\n\n#include "protocol/message_json_values.h"\n\nnamespace millrace {\n')
    for _, messages in files:
        for m in messages:
            for n, fs in collect_structs(m).items():
                json_functions(f"{m.name}::{n}", fs, m, out)
            json_functions(m.name, m.fields, m, out)
            out.append(f"extern const MessageInfo k{m.name}Info;")
            out.append(f'const MessageInfo k{m.name}Info = make_message_info<{m.name}>("{m.name}", MessageInfo::Kind::k{m.kind.capitalize()}, {m.key});')
            out.append("")
    out.append("}  // namespace millrace")
    return "\n".join(out) + "\n"


def registry(files):
    names = [m.name for _, messages in files for m in messages]
    out = ["// Generated by protocol/generate_messages.py. Do not edit.", '#include "protocol/messages/registry.h"', "", "namespace millrace {", ""]
    out += [f"extern const MessageInfo k{n}Info;" for n in names]
    out += ["", "std::vector<const MessageInfo*> all_messages() {", "  return {"] + [f"      &k{n}Info," for n in names] + ["  };", "}", "", "}  // namespace millrace"]
    return "\n".join(out) + "\n"


def write_if_changed(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    files = [(pathlib.Path(name).stem, parse_file(pathlib.Path(name))) for name in sys.argv[2:]]
    for stem, messages in files:
        write_if_changed(out / f"{stem}.h", header(messages, f"{stem}.msg"))
        write_if_changed(out / f"{stem}.cc", source(messages, stem))
    for i in range(JSON_FILES):
        write_if_changed(out / f"json_{i}.cc", json_source(files[i::JSON_FILES]))
    write_if_changed(out / "registry.cc", registry(files))


main()
