"""Recordings of change events: reading a case and its script, writing what was seen in the same form, comparing the two."""
import collections
import json
import os
import pathlib
import re
import types

import cdc_masks
from support import ROOT

AREA = "debezium-mariadb"
# How lines of a case's answer begin that could not be run, and what those say that miss records.
NOT_RUN, MISSING = "not run: ", "records are missing"

# What a script asks for: SQL to send, or a directive with its argument.
Sql = collections.namedtuple("Sql", "statement tolerated")
Directive = collections.namedtuple("Directive", "name argument")


def golden_root():
    """MILLRACE_GOLDEN, else ../shared/golden beside the sources, else the selection in tests/golden."""
    named = os.environ.get("MILLRACE_GOLDEN")
    for root in [named] if named else [ROOT.parent / "shared/golden", ROOT / "tests/golden"]:
        if (pathlib.Path(root) / AREA).is_dir():
            return pathlib.Path(root) / AREA
    return None


def script(data):
    """The steps of a setup.sql or changes.sql. A statement ends with `;` at the end of a line and is kept byte for byte."""
    steps, lines = [], []
    for line in data.split(b"\n"):
        if not lines and line.startswith(b"-- "):
            comment = line[3:].decode()
            if comment.startswith("@"):
                name, _, argument = comment[1:].partition(" ")
                steps.append(Directive(name, argument.strip()))
            continue
        if not lines and not line.strip():
            continue
        lines.append(line)
        if line.endswith(b";"):
            statement, lines = b"\n".join(lines)[:-1], []
            steps.append(Sql(statement.removeprefix(b"!"), statement.startswith(b"!")))
    if lines:
        raise ValueError(f"no `;` ends {lines!r}")
    return steps


class Case:
    """One folder of recordings."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.name = self.folder.name
        self.about = json.loads((self.folder / "case.json").read_text("utf-8"))

    def text(self, name):
        return (self.folder / name).read_text("utf-8")

    def steps(self, name):
        path = self.folder / name
        return script(path.read_bytes()) if path.exists() else []

    def connector(self, values):
        """name, config; `${X}` is replaced by values["X"]."""
        found = re.sub(r"\$\{(\w+)\}", lambda match: str(values[match[1]]), self.text("connector.json"))
        return json.loads(found)["name"], json.loads(found)["config"]

    @property
    def purges(self):
        return "PURGE BINARY LOGS" in self.text("changes.sql")

    @property
    def globals(self):
        """Settings of the server for this case."""
        strict = {"gtid_strict_mode": "1"} if "gtid_strict_mode=1" in self.about.get("server_flags", "") else {}
        return {**self.about.get("server_globals", {}), **strict}

    @property
    def server_flags(self):
        """Flags that only a start of the server takes."""
        return ["--lower-case-table-names=1"] if "lower_case_table_names=1" in self.about.get("server_flags", "") else []

    def marks(self):
        """{marker: {topic: high watermark}}"""
        return {mark["at"]: mark["high_watermarks"] for mark in self.about["marks"]}

    def offsets(self):
        """{marker: what GET offsets answered there}"""
        return {entry["at"]: entry["offsets"] for entry in json.loads(self.text("offsets.json"))}


def one_line(text):
    """JSON on one line; as it came where that holds already, so that literals and order of members stay."""
    return text if "\n" not in text else json.dumps(json.loads(text), ensure_ascii=False)


def side(data):
    """A key or a value in the form of the recordings, as JSON text."""
    if data is None:
        return "null"
    try:
        text = data.decode("utf-8")
        found = json.loads(text)
    except ValueError:
        return json.dumps({"text": data.decode("utf-8", "backslashreplace")}, ensure_ascii=False)
    if isinstance(found, dict) and set(found) == {"schema", "payload"}:
        return one_line(text)
    return f'{{"json":{one_line(text)}}}'


def write_recording(folder, records):
    """expected.jsonl, with schemas inline, and an empty schemas.json."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "expected.jsonl", "w", encoding="utf-8") as out:
        for r in sorted(records, key=lambda r: r[:3]):
            named = [[name, None if value is None else value.decode("utf-8", "backslashreplace")] for name, value in r.headers]
            out.write(f'{{"topic":{json.dumps(r.topic)},"partition":{r.partition},"offset":{r.offset},"key":{side(r.key)},'
                      f'"value":{side(r.value)},"headers":{json.dumps(named, ensure_ascii=False)}}}\n')
    (folder / "schemas.json").write_text("[]\n")
    return folder


class Comparer:
    """The masks and the comparison that come with the recordings; our own where there are none."""

    def __init__(self, area, positions=False, headers=True):
        self.positions, self.headers = positions, headers
        path = area / "compare.py"
        self.rules = loaded(path) if path.exists() else cdc_masks
        self.mask_source = getattr(self.rules, "mask_source", cdc_masks.masked)

    def load(self, folder):
        return self.rules.load(str(folder), self.positions, not self.headers)

    def records(self, expected_folder, actual_folder):
        expected, actual = self.load(expected_folder), self.load(actual_folder)
        return [line for topic in sorted(set(expected) | set(actual))
                for line in self.rules.diff(expected.get(topic, []), actual.get(topic, []), topic)]

    def offsets(self, expected, actual, path):
        return self.rules.diff(self.masked_offsets(expected), self.masked_offsets(actual), path)

    def masked_offsets(self, entries):
        def masked(offset):
            kept = self.mask_source(offset, self.positions)
            return {name: "*" if name == "transaction_id" and not self.positions else value for name, value in kept.items()}
        return [{**entry, "offset": masked(entry["offset"] or {})} for entry in entries]


def loaded(path):
    """compare.py runs when imported; only its functions are wanted."""
    source = path.read_text("utf-8").rstrip()
    if not source.endswith("\nmain()"):
        raise ValueError(f"{path} does not end with main()")
    module = types.ModuleType("golden_compare")
    exec(compile(source.removesuffix("main()"), str(path), "exec"), module.__dict__)
    return module


class KnownDifferences:
    """Entries of tests/golden/known-differences.json: {"case", "reason", "differences": [patterns]}.

    Without patterns any other record, offset or state is allowed, but not that records are missing; that must be named. A case
    that could not be run is allowed only where "refused" has a pattern of what the connector's creation was answered with.
    """

    def __init__(self, path=ROOT / "tests/golden/known-differences.json"):
        entries = json.loads(path.read_text("utf-8"))
        self.entries = {entry["case"].split("/", 1)[1]: entry for entry in entries if entry["case"].startswith(AREA + "/")}

    def reason(self, case):
        return self.entries[case]["reason"] if case in self.entries else None

    def unexpected(self, case, differences):
        """Those that no entry explains."""
        entry = self.entries.get(case)
        if entry is None:
            return differences
        patterns = [re.compile(pattern) for pattern in entry.get("differences", [f"^(?!.*{MISSING})"])]
        refused = re.compile(entry.get("refused", "(?!)"), re.S)

        def allowed(line):
            return refused.search(line) if line.startswith(NOT_RUN) else any(pattern.search(line) for pattern in patterns)

        return [line for line in differences if not allowed(line)]
