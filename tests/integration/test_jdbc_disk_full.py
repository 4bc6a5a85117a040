"""The disk of a database that a JDBC sink writes to is full: nothing is lost, nothing goes to the dead letter queue or is taken for a bad
record, the log and the status say what is the matter, and rows flow again by themselves once there is space."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from mariadb_client import Session
from postgres_client import PASSWORD as POSTGRES_PASSWORD, USER, Postgres
from support import PASSWORD, ROOT, DatabaseTest, MariaDb, eventually

PATIENT = {"max.retries": "1000", "retry.backoff.ms": "50", "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead",
           "errors.deadletterqueue.topic.replication.factor": "1", "errors.log.enable": "true"}
EXACT = {"insert.mode": "insert", "millrace.exactly.once": "true"}
UPSERT = {"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}


class DiskFull(DatabaseTest):
    @classmethod
    def setUpClass(cls):
        cls.folder_ = pathlib.Path(tempfile.mkdtemp(prefix="millrace-full-disk-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder_, ignore_errors=True)
        os.chmod(cls.folder_, 0o755)  # servers run as other users
        library, cls.flag = cls.folder_ / "full_disk.so", cls.folder_ / "full"
        subprocess.run(["g++", "-std=c++20", "-O1", "-fPIC", "-shared", ROOT / "tests/support/full_disk.cc", "-o", library, "-ldl"], check=True)
        environment = {"LD_PRELOAD": str(library), "FULL_DISK": str(cls.flag)}
        cls.server_folder = tempfile.mkdtemp(prefix="millrace-mariadb-")
        cls.db = MariaDb(cls.server_folder, environment={**environment, "FULL_DISK_OF": "/dst/"}).start()
        cls.postgres = Postgres(environment={**environment, "FULL_DISK_OF": "/base/"}).start()
        cls.addClassCleanup(cls.postgres.stop)

    def setUp(self):
        super().setUp()
        self.flag.unlink(missing_ok=True)
        for name in ("src", "dst"):
            self.db.sql(f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} CHARACTER SET utf8mb4")
        self.db.sql("CREATE TABLE src.events (id int primary key, name varchar(1000))")
        self.postgres.sql("DROP TABLE IF EXISTS events; DROP TABLE IF EXISTS millrace_offsets")

    def fill(self, begin, end):
        self.db.sql(f"INSERT INTO events SELECT seq, concat('name ', seq, repeat('x', 900)) FROM seq_{begin + 1}_to_{end}", "src")

    def rows(self, dialect):
        if dialect == "mariadb":
            with Session(self.db.port, PASSWORD, database="dst") as session:
                return sorted((int(id_), name.decode()) for id_, name in session.run("SELECT id, name FROM events"))
        lines = self.postgres.sql("SELECT id, name FROM events").splitlines()
        return sorted((int(line.split("\t")[0]), line.split("\t")[1]) for line in lines)

    def check(self, dialect, **mode):
        worker = self.worker(settings={"consumer.max.poll.records": "200", "offset.flush.interval.ms": "200"}).start()
        self.fill(0, 500)
        worker.must_create("source", self.source("src", "events"))
        target = {"connection.url": self.postgres.url("postgres"), "connection.user": USER, "connection.password": POSTGRES_PASSWORD}
        config = self.sink("dst", "my_topic_events", **PATIENT, **mode, **{"table.name.format": "events"})
        worker.must_create("sink", config | (target if dialect == "postgres" else {}))
        eventually(lambda: len(self.rows(dialect)) == 500, "rows flow")
        self.flag.touch()
        self.fill(500, 4000)
        word = "is full" if dialect == "mariadb" else "No space left on device"
        eventually(lambda: worker.log_text().count(word) > 3, "the log says what it waits for")
        self.assertEqual(("RUNNING", "RUNNING"), tuple(worker.states("sink")))
        written = self.rows(dialect)
        self.assertLess(len(written), 4000)
        self.assertEqual([id_ for id_, _ in written], list(range(1, len(written) + 1)), "what is there is whole")
        self.flag.unlink()
        eventually(lambda: len(self.rows(dialect)) >= 4000, "rows flow again", 60)
        self.assertEqual([(id_, f"name {id_}{'x' * 900}") for id_ in range(1, 4001)], self.rows(dialect))
        self.nothing_is_taken_for_bad()
        # Without patience the status says it, and a restart goes on.
        worker.request("PUT", "/connectors/sink/config", config | (target if dialect == "postgres" else {}) | {"max.retries": "1"})
        worker.wait_for_states("sink", ["RUNNING", "RUNNING"])
        self.flag.touch()
        self.fill(4000, 8000)
        self.assertIn(word, worker.failed_trace("sink"))
        self.flag.unlink()
        self.assertEqual(204, worker.request("POST", "/connectors/sink/tasks/0/restart").status)
        eventually(lambda: len(self.rows(dialect)) >= 8000, "rows flow again", 60)
        self.assertEqual(list(range(1, 8001)), [id_ for id_, _ in self.rows(dialect)])
        self.nothing_is_taken_for_bad()

    def nothing_is_taken_for_bad(self):
        self.assertEqual([0], [segment.stat().st_size for segment in self.folder.glob("log/dead-0/*.log")], "the dead letter queue is empty")

    def test_mariadb_exactly_once(self):
        self.check("mariadb", **EXACT)

    def test_mariadb_upsert(self):
        self.check("mariadb", **UPSERT)

    def test_postgresql_exactly_once(self):
        self.check("postgres", **EXACT)

    def test_postgresql_upsert(self):
        self.check("postgres", **UPSERT)


if __name__ == "__main__":
    unittest.main()
