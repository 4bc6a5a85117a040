"""SQLite files as source and sink: no server is needed, so the worker is the only process here."""
import os
import random
import sqlite3
import time
import unittest

from kafka_client import Kafka
from support import ProcessTest, eventually, free_port

USERS = "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(20), balance REAL, at DATETIME DEFAULT CURRENT_TIMESTAMP)"
UPSERT = {"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}


class JdbcSqlite(ProcessTest):
    def path(self, name):
        return self.folder / f"{name}.db"

    def sql(self, name, statement, *values):
        """Rows; commits at once."""
        database = sqlite3.connect(self.path(name), timeout=30)
        try:
            with database:
                return database.execute(statement, *values).fetchall()
        except sqlite3.Error as problem:  # a table that is not there yet, which eventually() waits for
            raise RuntimeError(f"{problem}: {statement}") from None
        finally:
            database.close()

    def fill(self, begin, end):
        database = sqlite3.connect(self.path("src"), timeout=30)
        with database:
            database.executemany("INSERT INTO users(id, name) VALUES (?, ?)", ((i, f"u{i}") for i in range(begin + 1, end + 1)))
        database.close()

    def source(self, **more):
        return {"connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", "connection.url": f"jdbc:sqlite:{self.path('src')}",
                "mode": "incrementing", "table.whitelist": "users", "topic.prefix": "t_", "poll.interval.ms": "100", **more}

    def sink(self, **more):
        return {"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "connection.url": f"jdbc:sqlite:{self.path('dst')}",
                "topics": "t_users", "auto.create": "true", "auto.evolve": "true", **more}

    def count(self, table, what="*"):
        return self.sql("dst", f"SELECT count({what}) FROM {table}")[0][0]

    def test_a_pair_makes_the_file_the_table_and_new_columns(self):
        self.sql("src", USERS)
        self.sql("src", "INSERT INTO users(name, balance) VALUES ('Ann', 1.5), ('Bjørn 🚀', NULL), (NULL, 1e300)")
        worker = self.worker().start()
        worker.must_create("source", self.source())
        worker.must_create("sink", self.sink(**UPSERT))
        eventually(lambda: self.count("t_users") == 3, "three rows arrived")
        made = self.sql("dst", "SELECT sql FROM sqlite_master")[0][0]
        self.assertEqual("CREATE TABLE `t_users` (\n`id` INTEGER NOT NULL,\n`name` TEXT NULL,\n`balance` REAL NULL,\n`at` NUMERIC NULL,\n"
                         "PRIMARY KEY(`id`))", made)
        rows = "SELECT id, name, balance, {} FROM {} ORDER BY id"
        self.assertEqual(self.sql("src", rows.format("unixepoch(at) * 1000", "users")), self.sql("dst", rows.format("at", "t_users")))
        self.sql("src", "ALTER TABLE users ADD COLUMN note TEXT")
        self.sql("src", "ALTER TABLE users ADD COLUMN picture BLOB")
        self.sql("src", "INSERT INTO users(name, note, picture) VALUES ('late', 'n', x'00ff')")
        eventually(lambda: self.count("t_users") == 4, "a later insert follows")
        self.assertEqual([("late", "n", b"\x00\xff")], self.sql("dst", "SELECT name, note, picture FROM t_users WHERE id=4"))
        offsets = eventually(lambda: worker.get("/connectors/source/offsets").json["offsets"], "offsets are stored")
        self.assertEqual({"protocol": "1", "table": "users"}, offsets[0]["partition"])
        worker.wait_for_states("source", ["RUNNING", "RUNNING"])
        self.assertEqual(0, worker.stop())

    def test_updates_by_timestamp_and_deletes_by_key(self):
        self.sql("src", "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, changed TEXT NOT NULL)")
        change = "INSERT OR REPLACE INTO users VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%fZ'))"
        for i in (1, 2, 3):
            self.sql("src", change, (i, "new"))
        log_port = free_port()
        worker = self.worker(settings={"log.listeners": f"PLAINTEXT://127.0.0.1:{log_port}"}).start()
        worker.must_create("source", self.source(**{
            "mode": "timestamp", "timestamp.column.name": "changed", "transforms": "key,plain", "transforms.key.fields": "id",
            "transforms.key.type": "org.apache.kafka.connect.transforms.ValueToKey", "transforms.plain.field": "id",
            "transforms.plain.type": "org.apache.kafka.connect.transforms.ExtractField$Key"}))
        worker.must_create("sink", self.sink(**{
            "insert.mode": "upsert", "pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true"}))
        eventually(lambda: self.count("t_users") == 3, "three rows arrived")
        self.sql("src", change, (2, "changed"))
        eventually(lambda: self.sql("dst", "SELECT name FROM t_users WHERE id=2") == [("changed",)], "the update arrived")
        kafka = Kafka(f"127.0.0.1:{log_port}")
        self.addCleanup(kafka.close)
        kafka.produce("t_users", b'{"schema":{"type":"int64","optional":false},"payload":3}', None)
        eventually(lambda: self.sql("dst", "SELECT id, name FROM t_users ORDER BY id") == [(1, "new"), (2, "changed")], "the row is deleted")

    def test_kill_nine_loses_nothing_and_exactly_once_repeats_nothing(self):
        rows, kills = int(os.environ.get("MILLRACE_KILL_ROWS", "40000")), 10
        self.sql("src", USERS)
        self.sql("src", "PRAGMA journal_mode=WAL")
        worker = self.worker(settings={"consumer.max.poll.records": "200", "offset.flush.interval.ms": "500"}).start()
        worker.must_create("source", self.source(**{"batch.max.rows": "100"}))
        for name, more in {"upserted": UPSERT, "inserted": {}, "once": {"millrace.exactly.once": "true"}}.items():
            worker.must_create(name, self.sink(**more, **{"table.name.format": name, "retry.backoff.ms": "100"}))
        seed, step, in_the_middle = random.Random(20261121), rows // kills, 0
        for begin in range(0, rows, step):
            self.fill(begin, begin + step)
            time.sleep(seed.uniform(0.0, 0.25))  # the moment of the kill is the point; nothing waits for it
            worker.kill()
            tables = {name for name, in self.sql("dst", "SELECT name FROM sqlite_master")} if self.path("dst").exists() else ()
            in_the_middle += "upserted" not in tables or self.count("upserted") < begin + step
            worker.start()
        self.assertGreater(in_the_middle, kills // 2, "most kills fell into the copy")
        eventually(lambda: self.count("upserted") == rows, "all rows are there", 240)
        eventually(lambda: self.count("inserted", "DISTINCT id") == rows, "all rows are there at least once", 240)
        eventually(lambda: self.count("once", "DISTINCT id") == rows, "all rows are there", 240)
        # The source may send rows again when it is killed; the sink has each record of the topic once.
        stored, there = self.sql("dst", "SELECT (SELECT `offset` FROM millrace_offsets WHERE connector='once'), count(*) FROM once")[0]
        self.assertEqual(stored, there)
        self.assertEqual(self.sql("src", "SELECT id, name FROM users ORDER BY id"), self.sql("dst", "SELECT id, name FROM upserted ORDER BY id"))
        self.assertEqual([("ok",)], self.sql("dst", "PRAGMA integrity_check"))

    def test_wrong_input_says_what_to_do(self):
        worker = self.worker().start()

        def refused(config):
            answer = worker.create("c", config)
            self.assertEqual(400, answer.status, answer.text)
            return answer.json["message"]

        self.assertIn(f"SQLite database '{self.path('src')}' does not exist; check the path in connection.url", refused(self.source()))
        self.assertFalse(self.path("src").exists(), "a source makes no file")
        self.assertIn("a SQLite database in memory is seen by one connection only", refused(self.source(**{"connection.url": "jdbc:sqlite::memory:"})))
        self.assertIn("is a folder", refused(self.sink(**{"connection.url": f"jdbc:sqlite:{self.folder}"})))
        self.assertIn("cannot be created: No such file", refused(self.sink(**{"connection.url": f"jdbc:sqlite:{self.folder}/no/such.db"})))
        self.path("src").write_text("This is a text and no database. " * 100)
        self.assertIn("file is not a database", refused(self.source()))
        self.path("src").unlink()
        self.sql("src", USERS)
        self.assertIn("The configured query is not valid", refused(self.source(**{
            "table.whitelist": "", "query": "SELECT * FROM (SELECT id, nonsense FROM users)", "incrementing.column.name": "id"})))
        self.sql("src", "INSERT INTO users(name, balance) VALUES ('Ann', 'much')")
        self.assertIn("column 'balance' of table 'users' has the value 'much' (TEXT) in row id=1, which does not fit its type REAL",
                      self.trace(worker, "misfit", self.source()))
        if os.getuid() != 0:  # whom no permission stops
            self.sql("dst", "CREATE TABLE t(id INTEGER)")
            self.path("dst").chmod(0o444)
            self.sql("src", "UPDATE users SET balance=1")
            worker.must_create("good", self.source())
            self.assertIn("needs write permission", self.trace(worker, "sink", self.sink()))

    def trace(self, worker, name, config):
        """What a connector says that is refused, or that fails."""
        answer = worker.create(name, config)
        return answer.text if answer.status != 201 else worker.failed_trace(name)

    def test_locks_are_waited_for(self):
        self.sql("src", USERS)
        self.fill(0, 10)
        worker = self.worker().start()
        brief = {"connection.busy_timeout": "50"}
        worker.must_create("source", self.source(**brief))
        worker.must_create("sink", self.sink(**UPSERT, **brief, **{"max.retries": "1000", "retry.backoff.ms": "50"}))
        eventually(lambda: self.count("t_users") == 10, "ten rows arrived")
        for name in ("dst", "src"):
            holder = sqlite3.connect(self.path(name), isolation_level=None)
            before = worker.log_text().count("database is locked")
            holder.execute("BEGIN IMMEDIATE" if name == "dst" else "BEGIN EXCLUSIVE")
            if name == "dst":
                self.fill(10, 20)
            else:
                holder.execute("INSERT INTO users(id, name) VALUES (21, 'u')")
            eventually(lambda: worker.log_text().count("database is locked") > before, f"the lock of {name} is told")
            holder.execute("COMMIT")
            holder.close()
            eventually(lambda: self.count("t_users") == (20 if name == "dst" else 21), "what waited has arrived")
        worker.wait_for_states("source", ["RUNNING", "RUNNING"])
        worker.wait_for_states("sink", ["RUNNING", "RUNNING"])

    def test_a_preview_and_lint_write_nothing(self):
        self.sql("src", USERS)
        self.fill(0, 3)
        worker = self.worker().start()
        preview = worker.request("POST", "/connector-plugins/JdbcSourceConnector/config/preview?rows=2", self.source())
        self.assertIn("u1", preview.text)
        worker.must_create("source", self.source())
        eventually(lambda: "t_users" in worker.get("/connectors/source/topics").text, "the topic is there")
        told = worker.request("POST", "/connector-plugins/JdbcSinkConnector/config/preview?rows=2", self.sink(**UPSERT))
        self.assertIn("ON CONFLICT(`id`) DO UPDATE SET `name`=excluded.`name`", told.text)
        checked = worker.request("PUT", "/connector-plugins/JdbcSinkConnector/config/validate", {"name": "sink", **self.sink(**UPSERT)}).json
        self.assertEqual(0, checked["error_count"])
        self.assertFalse(self.path("dst").exists(), "checks make no file")


if __name__ == "__main__":
    unittest.main()
