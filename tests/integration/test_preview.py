"""POST /connector-plugins/{class}/config/preview: what a connector would do, with nothing touched."""
import os
import unittest

import postgres_client
from support import PASSWORD, DatabaseTest, eventually

FILE_SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"
JDBC_SINK = "io.confluent.connect.jdbc.JdbcSinkConnector"
JDBC_SOURCE = "io.confluent.connect.jdbc.JdbcSourceConnector"


class Preview(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.run_worker = self.worker().start()

    def preview(self, plugin, body, rows=10, status=200):
        answer = self.run_worker.request("POST", f"/connector-plugins/{plugin}/config/preview?rows={rows}", body)
        self.assertEqual(answer.status, status, answer.text)
        return answer.json

    def nothing_happened(self):
        self.assertEqual(self.run_worker.get("/connectors").json, [])
        self.assertFalse([name for name in os.listdir(self.folder / "log") if name.startswith("previewed")])

    def test_a_file_source_shows_its_first_lines_as_they_would_be_written(self):
        (self.folder / "in.txt").write_text("".join(f"line {i}\n" for i in range(50)))
        got = self.preview(FILE_SOURCE, {"file": str(self.folder / "in.txt"), "topic": "previewed", "transforms": "h",
                                         "transforms.h.type": "org.apache.kafka.connect.transforms.HoistField$Value",
                                         "transforms.h.field": "text"}, rows=3)
        self.assertEqual([r["value"]["payload"] for r in got["records"]], [{"text": f"line {i}"} for i in range(3)])
        self.assertEqual(got["records"][2]["source_offset"], {"position": 21})
        self.assertEqual(got["records"][0]["source_partition"], {"filename": str(self.folder / "in.txt")})
        self.assertEqual((got["type"], got["dropped"], got["errors"]), ("source", 0, []))
        self.assertIn('"payload":{"text":"line 0"}', got["records"][0]["written"]["value"])
        self.nothing_happened()

    def test_a_jdbc_source_shows_rows(self):
        self.db.sql("CREATE DATABASE IF NOT EXISTS pre; CREATE OR REPLACE TABLE pre.t (id int primary key, name varchar(20));"
                    "INSERT INTO pre.t VALUES (1, 'one'), (2, 'two'), (3, 'three')")
        config = self.source("pre", "t", **{"topic.prefix": "previewed-"})
        got = self.preview(JDBC_SOURCE, config, rows=2)
        self.assertEqual([r["value"]["payload"] for r in got["records"]], [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}])
        self.assertEqual(got["records"][0]["topic"], "previewed-t")
        self.nothing_happened()

    def sink(self, **more):
        return {"connector.class": JDBC_SINK, "connection.url": self.db.url("pre"), "connection.user": "root",
                "connection.password": PASSWORD, "topics": "orders", "auto.create": "true", **more}

    def test_a_jdbc_sink_tells_its_statements_and_executes_none(self):
        self.db.sql("CREATE DATABASE IF NOT EXISTS pre; DROP TABLE IF EXISTS pre.orders")
        schema = {"type": "struct", "optional": False, "fields": [{"type": "int32", "optional": False, "field": "id"},
                                                                  {"type": "string", "optional": True, "field": "note"}]}
        records = [{"topic": "orders", "value": {"schema": schema, "payload": {"id": 1, "note": "it's ?"}}},
                   {"topic": "orders", "value": {"schema": schema, "payload": {"id": 2, "note": None}}},
                   {"topic": "orders", "value": "no JSON"}]
        config = self.sink(**{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"})
        got = self.preview(JDBC_SINK, {"config": config, "records": records})
        self.assertEqual(len(got["records"]), 2)
        self.assertEqual([e["stage"] for e in got["errors"]], ["VALUE_CONVERTER"])
        create, first, second = got["actions"]
        self.assertTrue(create.startswith("CREATE TABLE"), create)
        self.assertIn("1,'it''s ?'", first)
        self.assertIn("2,NULL", second)
        self.assertEqual(self.db.sql("SHOW TABLES LIKE 'orders'", "pre"), "")
        self.nothing_happened()

    def test_what_is_told_for_postgresql_does_what_it_says(self):
        server = postgres_client.Postgres().start()
        self.addCleanup(server.stop)
        fields = [{"type": "int32", "optional": False, "field": "id"}, {"type": "string", "optional": True, "field": "note"},
                  {"type": "bytes", "optional": True, "field": "raw"}, {"type": "boolean", "optional": True, "field": "yes"},
                  {"type": "int64", "optional": True, "name": "org.apache.kafka.connect.data.Timestamp", "field": "at"}]
        rows = [{"id": 1, "note": "it's ?\\", "raw": "AQI=", "yes": True, "at": 1767225600000},
                {"id": 2, "note": None, "raw": None, "yes": None, "at": None}]
        records = [{"topic": "orders", "key": {"schema": {"type": "struct", "fields": fields[:1], "optional": False}, "payload": {"id": id_}},
                    "value": value and {"schema": {"type": "struct", "optional": False, "fields": fields}, "payload": value}}
                   for id_, value in [(1, rows[0]), (3, rows[0] | {"id": 3}), (2, rows[1]), (3, None)]]
        config = self.sink(**{"connection.url": server.url("postgres"), "connection.user": postgres_client.USER,
                              "connection.password": postgres_client.PASSWORD, "insert.mode": "upsert", "pk.mode": "record_key",
                              "pk.fields": "id", "delete.enabled": "true"})
        got = self.preview(JDBC_SINK, {"config": config, "records": records})
        self.assertEqual([], got["errors"])
        self.assertEqual("", server.sql("SELECT relname FROM pg_class WHERE relname = 'orders'"), "nothing is made")
        self.nothing_happened()
        for statement in got["actions"]:
            server.sql(statement)
        self.assertEqual("1\tit's ?\\\t\\x0102\tt\t2026-01-01 00:00:00\n2\t\\N\t\\N\t\\N\t\\N",
                         server.sql("SELECT id, note, raw, yes, at FROM orders ORDER BY id"))
        source = self.source("", "orders", **{"connection.url": server.url("postgres"), "connection.user": postgres_client.USER,
                                              "connection.password": postgres_client.PASSWORD, "topic.prefix": "previewed-"})
        got = self.preview(JDBC_SOURCE, source)
        self.assertEqual(rows, [{name: record["value"]["payload"][name] for name in rows[0]} for record in got["records"]])

    def test_a_sink_without_records_takes_those_of_its_topics(self):
        (self.folder / "in.txt").write_text("a\nb\n")
        self.run_worker.must_create("fill", {"connector.class": "FileStreamSource", "file": str(self.folder / "in.txt"), "topic": "letters"})
        self.run_worker.wait_for_states("fill", ["RUNNING", "RUNNING"])
        plugin = "org.apache.kafka.connect.file.FileStreamSinkConnector"
        config = {"file": str(self.folder / "out.txt"), "topics": "letters"}
        eventually(lambda: self.preview(plugin, config)["actions"] == ["a", "b"], "the lines are previewed")
        self.assertFalse((self.folder / "out.txt").exists())
        self.assertEqual(self.preview(plugin, config, rows=1)["actions"], ["a"])

    def test_mistakes_are_told(self):
        self.assertIn("Missing required configuration \"topic\"", self.preview(FILE_SOURCE, {"file": "x"}, status=400)["message"])
        self.assertIn("rows must be a number from 1 to 1000", self.preview(FILE_SOURCE, {}, rows=0, status=400)["message"])
        self.assertIn("Failed to find any class", self.preview("Nope", {}, status=404)["message"])
        self.assertIn("must be a JSON object", self.preview(FILE_SOURCE, [], status=400)["message"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
