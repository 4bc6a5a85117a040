"""The tools of the change data capture tests themselves: scripts, recordings, masks, known differences."""
import json
import pathlib
import tempfile
import unittest

import cdc_validation
from cdc_recording import Case, Comparer, Directive, KnownDifferences, Sql, golden_root, script, side, write_recording
from cdc_replica import Inconsistent, Replica
from cdc_writers import Columns
from kafka_client import Record

NO_RULES = pathlib.Path("/nonexistent")  # leaves our own masks


def record_of(line, schemas):
    """The bytes that led to a recorded line."""
    recorded = json.loads(line)

    def data(found):
        if found is None or "text" in found:
            return found and found["text"].encode()
        whole = found["json"] if "json" in found else {
            "schema": None if found["schema_ref"] is None else schemas[found["schema_ref"]], "payload": found["payload"]}
        return json.dumps(whole, ensure_ascii=False).encode()

    return Record(recorded["topic"], recorded["partition"], recorded["offset"], 0, data(recorded["key"]), data(recorded["value"]),
                  [(name, None if value is None else value.encode()) for name, value in recorded["headers"]])


class Harness(unittest.TestCase):
    def setUp(self):
        area = golden_root()
        self.cases = [Case(folder) for folder in sorted(area.iterdir()) if (folder / "expected.jsonl").exists()]
        self.comparers = [Comparer(where, positions) for where in (area, NO_RULES) for positions in (False, True)]
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def records(self, case):
        schemas = json.loads(case.text("schemas.json"))
        return [record_of(line, schemas) for line in case.text("expected.jsonl").splitlines()]

    def test_a_script_is_cut_where_a_line_ends_with_a_semicolon(self):
        steps = script(b"-- a comment\n\nINSERT INTO t VALUES ('a;b',\n\n  'c -- d');\n-- @drain 3\n!BAD;\n-- @config {\"a\":\"b\"}\n")
        self.assertEqual([Sql(b"INSERT INTO t VALUES ('a;b',\n\n  'c -- d')", False), Directive("drain", "3"), Sql(b"BAD", True),
                          Directive("config", '{"a":"b"}')], steps)
        self.assertRaises(ValueError, script, b"SELECT 1")

    def test_every_script_is_understood(self):
        known = {"drain", "sleep", "stop", "resume", "pause", "restart", "config", "signal", "deltopic"}
        for case in self.cases:
            steps = case.steps("setup.sql") + case.steps("changes.sql")
            self.assertLessEqual({step.name for step in steps if isinstance(step, Directive)}, known, case.name)
            drains = sum(1 for step in steps if isinstance(step, Directive) and step.name == "drain")
            self.assertEqual(drains, sum(1 for mark in case.marks() if mark.startswith("drain-")), case.name)

    def test_a_recording_written_again_equals_itself(self):
        for case in self.cases:
            seen = write_recording(self.folder / case.name, reversed(self.records(case)))
            for comparer in self.comparers:
                self.assertEqual([], comparer.records(case.folder, seen), case.name)
                for at, offsets in case.offsets().items():
                    self.assertEqual([], comparer.offsets(offsets, offsets, at))

    def test_a_changed_row_a_lost_record_and_a_changed_header_are_differences(self):
        case = next(case for case in self.cases if case.name.startswith("100"))
        records = self.records(case)
        at = next(i for i, r in enumerate(records) if r.topic == "srv100.gold_crud.c" and r.value and b'"qty": 20' in r.value)
        changed = [records[:at] + [records[at]._replace(value=records[at].value.replace(b'"qty": 20', b'"qty": 21'))] + records[at + 1:],
                   records[:at] + records[at + 1:],
                   records[:at] + [records[at]._replace(headers=[("other", b"1")])] + records[at + 1:]]
        for number, each in enumerate(changed):
            seen = write_recording(self.folder / str(number), each)
            for comparer in self.comparers:
                self.assertNotEqual([], comparer.records(case.folder, seen), number)

    def test_times_are_masked_and_places_only_without_positions(self):
        case = next(case for case in self.cases if case.name.startswith("100"))
        at = lambda text, records: next(i for i, r in enumerate(records) if r.topic == "srv100.gold_crud.c" and r.value and text in r.value)
        records = self.records(case)
        i = at(b'"pos"', records)
        value = json.loads(records[i].value)
        value["payload"]["ts_ms"] = value["payload"]["source"]["ts_us"] = 1
        later = write_recording(self.folder / "later", records[:i] + [records[i]._replace(value=json.dumps(value).encode())] + records[i + 1:])
        value["payload"]["source"]["pos"] += 1
        moved = write_recording(self.folder / "moved", records[:i] + [records[i]._replace(value=json.dumps(value).encode())] + records[i + 1:])
        for comparer in self.comparers:
            self.assertEqual([], comparer.records(case.folder, later))
            self.assertEqual(comparer.positions, bool(comparer.records(case.folder, moved)))

    def test_bytes_of_any_kind_have_a_form(self):
        self.assertEqual("null", side(None))
        self.assertEqual({"text": "\\xff"}, json.loads(side(b"\xff")))
        self.assertEqual('{"json":{"a":1.50}}', side(b'{"a":1.50}'))
        self.assertEqual('{"schema":null,"payload":1E3}', side(b'{"schema":null,"payload":1E3}'))
        self.assertEqual(1, len(side(b'{"a":\n1}').splitlines()))

    def test_known_differences_explain_what_they_name(self):
        path = self.folder / "known.json"
        path.write_text(json.dumps([{"case": "debezium-mariadb/a", "reason": "r", "differences": [": 1900 != 0$"]},
                                    {"case": "debezium-mariadb/b", "reason": "any"}, {"case": "jdbc/c", "reason": "other"},
                                    {"case": "debezium-mariadb/d", "reason": "no", "refused": "400: .*classes"}]))
        known = KnownDifferences(path)
        self.assertEqual(["x: 1 != 2"], known.unexpected("a", ["t.y: 1900 != 0", "x: 1 != 2"]))
        self.assertEqual([], known.unexpected("b", ["x: 1 != 2"]))
        self.assertEqual(["x: 1 != 2"], known.unexpected("c", ["x: 1 != 2"]))
        self.assertEqual([], known.unexpected("d", ["not run: answered 400: no\nclasses"]))
        self.assertEqual(["not run: gone"], known.unexpected("d", ["not run: gone"]))
        for never in ("not run: OSError: gone", "end: after 10 s records are missing: t has 1 of 2"):
            self.assertEqual([never], known.unexpected("b", ["x: 1 != 2", never]))

    def test_every_known_difference_is_of_a_case(self):
        if golden_root().is_relative_to(pathlib.Path(__file__).resolve().parents[2]):
            self.skipTest("a selection of the recordings")
        names = {folder.name for folder in golden_root().iterdir()}
        self.assertLessEqual(set(KnownDifferences().entries), names)

    def test_validation_tests_are_made_from_their_names(self):
        base = {"connector.class": "c", "name": "n", "tasks.max": "1", "a": "b"}
        self.assertEqual({**base, "x.y": "1=2"}, cdc_validation.changed(base, "x.y=1=2"))
        self.assertNotIn("a", cdc_validation.changed(base, "without a"))
        self.assertNotIn("a", cdc_validation.changed(base, "empty"))
        self.assertEqual("(conn=*) for user * at ${PORT}", cdc_validation.masked("(conn=12) for user 'x'@'localhost' at 4711", 4711))


class Replicas(unittest.TestCase):
    """Rebuilding a table from events, and what is refused on the way."""

    def setUp(self):
        self.columns = Columns()
        self.replica = Replica("t", once=True, columns=self.columns)
        self.apply("r", 1, 0, None, {"id": 1, "a": 1}, "first")
        self.apply("r", 2, 0, None, {"id": 2, "a": 2}, "last")

    def apply(self, op, key, pos, before, after, snapshot="false"):
        value = {"op": op, "before": before, "after": after, "source": {"file": "bin.000009", "pos": pos, "row": 0, "snapshot": snapshot}}
        self.replica.apply(Record("t", 0, pos, 0, json.dumps({"id": key}).encode(), json.dumps(value).encode(), []))

    def tombstone(self, key):
        self.replica.apply(Record("t", 0, 0, 0, json.dumps({"id": key}).encode(), None, []))

    def differences(self, *rows):
        return list(self.replica.differences({(("id", row["id"]),): row for row in rows}))

    def test_events_make_the_table(self):
        self.apply("u", 1, 10, {"id": 1, "a": 1}, {"id": 1, "a": 5})
        self.apply("d", 2, 20, {"id": 2, "a": 2}, None)
        self.tombstone(2)
        self.apply("c", 3, 20, None, {"id": 3, "a": 2})
        self.assertEqual([], self.differences({"id": 1, "a": 5}, {"id": 3, "a": 2}))
        self.assertEqual(3, len(self.differences({"id": 1, "a": 6}, {"id": 2, "a": 2})))

    def test_what_does_not_fit_is_refused(self):
        self.assertRaises(Inconsistent, self.apply, "u", 1, 10, {"id": 1, "a": 4}, {"id": 1, "a": 5})
        self.assertRaises(Inconsistent, self.apply, "c", 1, 11, None, {"id": 1, "a": 5})
        self.assertRaises(Inconsistent, self.apply, "u", 3, 12, {"id": 3, "a": 4}, {"id": 3, "a": 5})
        self.assertRaises(Inconsistent, self.apply, "c", 4, 9, None, {"id": 4, "a": 5})
        self.assertRaises(Inconsistent, self.tombstone, 1)

    def test_repeated_events_are_skipped_or_refused(self):
        self.apply("c", 3, 10, None, {"id": 3, "a": 1})
        self.assertRaises(Inconsistent, self.apply, "c", 3, 10, None, {"id": 3, "a": 1})
        self.replica.once = False
        self.apply("c", 3, 10, None, {"id": 3, "a": 1})
        self.assertEqual(2, self.replica.repeated)

    def test_a_snapshot_that_begins_anew_voids_the_former(self):
        self.apply("r", 2, 0, None, {"id": 2, "a": 7}, "first_in_data_collection")
        self.assertEqual([], self.differences({"id": 2, "a": 7}))

    def test_columns_that_ddl_changed_are_found_by_their_last_names(self):
        self.columns.renamed, self.columns.defaults = {"a": "b"}, {"x": "7"}
        self.apply("r", 1, 0, None, {"id": 1, "a": 1}, "first")
        self.apply("r", 2, 0, None, {"id": 2, "a": 2}, "last")
        self.apply("u", 1, 10, {"id": 1, "a": 1, "x": 7}, {"id": 1, "b": 5, "x": 7})
        self.assertEqual([], self.differences({"id": 1, "b": 5, "x": 7}, {"id": 2, "b": 2, "x": 7}))


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # compare.py leaves its files to the collector
