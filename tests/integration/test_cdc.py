"""Change data capture as its users meet it: changes arrive, the connector obeys its REST calls, and what is wrong is told in its status."""
import shutil
import tempfile
import unittest

import cdc_support
from cdc_support import CdcServer, CdcWorker, connector_config, envelope
from support import MariaDb, ProcessTest, eventually

BIG = 20 << 20


class CdcTest(ProcessTest):
    """One server and one worker for all tests; a connector and a database of its own for each."""

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix="millrace-cdc-")
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.db = CdcServer(cls.shared).start()
        cls.addClassCleanup(cls.db.stop)
        cls.worker_ = CdcWorker(f"{cls.shared}/worker", settings={
            "key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false", "connector.client.config.override.policy": "All"})
        cls.addClassCleanup(cls.worker_.stop)
        cls.worker_.start()
        cls.kafka = cls.worker_.kafka()
        cls.addClassCleanup(cls.kafka.close)
        cls.server_id = 6000

    def setUp(self):
        super().setUp()
        self.name = self.id().split(".")[-1].removeprefix("test_")[:40]
        CdcTest.server_id += 1
        self.topic = f"{self.name}.{self.name}.t"
        self.session = self.db.session()
        self.addCleanup(self.session.close)
        for statement in (f"CREATE DATABASE {self.name}", f"USE {self.name}", "CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)",
                          "INSERT INTO t VALUES (1, 'one')"):
            self.session.run(statement)

    def config(self, prefix=None, **more):
        return connector_config(self.db, self.worker_, prefix or self.name, **{
            "table_include_list": f"{self.name}.t", "database_server_id": str(CdcTest.server_id), "poll_interval_ms": "20",
            "tombstones_on_delete": "false", **more})

    def make(self, name=None, **more):
        connector = self.worker_.connector(name or self.name)
        connector.create(self.config(name, **more))
        self.addCleanup(connector.delete)
        return connector

    def events(self):
        """(operation, id, value after) of the table's topic."""
        found = [envelope(record.value) for record in self.kafka.read([self.topic])]
        return [(e["op"], (e["after"] or e["before"])["id"], e["after"] and e["after"]["v"]) for e in found]

    def wait_for(self, *expected, timeout_s=None):
        """For exactly these events, after those of earlier calls."""
        self.expected = [*getattr(self, "expected", []), *expected]
        eventually(lambda: len(self.events()) >= len(self.expected), f"{len(self.expected)} events", timeout_s)
        self.assertEqual(self.expected, self.events())

    def trouble(self, name, config):
        """What a refused creation says, or the status of a connector that was created and failed."""
        answer = self.worker_.create(name, config)
        if answer.status != 201:
            return answer.text
        connector = self.worker_.connector(name)
        self.addCleanup(connector.delete)
        eventually(connector.failed, f"{name} fails")
        return connector.trace()

    def test_changes_arrive(self):
        self.make()
        self.wait_for(("r", 1, "one"))
        for statement in ("INSERT INTO t VALUES (2, 'two')", "UPDATE t SET v = 'deux' WHERE id = 2", "DELETE FROM t WHERE id = 1",
                          "UPDATE t SET id = 3 WHERE id = 2"):
            self.session.run(statement)
        self.wait_for(("c", 2, "two"), ("u", 2, "deux"), ("d", 1, None), ("d", 2, None), ("c", 3, "deux"))

    def test_it_pauses_resumes_restarts_and_stops(self):
        connector = self.make()
        self.wait_for(("r", 1, "one"))
        for number, (halt, go_on) in enumerate([(connector.pause, connector.resume), (connector.stop, connector.resume),
                                                (lambda: None, connector.restart)], 2):
            halt()
            self.session.run(f"INSERT INTO t VALUES ({number}, 'meanwhile')")
            go_on()
            self.wait_for(("c", number, "meanwhile"))

    def test_offsets_are_shown_altered_and_reset(self):
        connector = self.make()
        self.wait_for(("r", 1, "one"))
        self.session.run("INSERT INTO t VALUES (2, 'two')")
        self.wait_for(("c", 2, "two"))
        connector.stop()
        before = connector.offsets()
        self.assertEqual({"server": self.name}, before[0]["partition"])
        self.assertLessEqual({"file", "pos", "gtids"}, set(before[0]["offset"]))
        connector.resume()
        self.session.run("INSERT INTO t VALUES (3, 'three')")
        self.wait_for(("c", 3, "three"))
        connector.stop()
        connector.call("PATCH", "/offsets", {"offsets": before})
        self.assertEqual(before, connector.offsets())
        connector.resume()
        self.wait_for(("c", 3, "three"))
        connector.stop()
        connector.call("DELETE", "/offsets")
        self.assertEqual([], connector.offsets())
        connector.resume()
        self.wait_for(("r", 1, "one"), ("r", 2, "two"), ("r", 3, "three"))

    def test_a_wrong_password_is_told(self):
        self.assertIn("Access denied", self.trouble(self.name, self.config(database_password="wrong")))

    def test_a_server_without_binlog_is_told(self):
        db = MariaDb(self.folder, ["--skip-log-bin"]).start()
        self.addCleanup(db.stop)
        self.assertRegex(self.trouble(self.name, self.config(database_port=str(db.port))), "log_bin|no binlog")

    def test_two_connectors_with_one_server_id_are_told(self):
        first = self.make()
        self.wait_for(("r", 1, "one"))
        second = self.make(f"{self.name}_2")
        eventually(lambda: first.failed() or second.failed(), "one of them is thrown out")
        trace = first.trace() + second.trace()
        self.assertIn(f"database.server.id={CdcTest.server_id}", trace)
        self.assertIn("another replica or connector", trace)

    def test_a_row_of_20_mib_arrives(self):
        self.worker_.topic_tool("--create", "--topic", self.topic, "--config", f"max.message.bytes={2 * BIG}")
        self.make(producer_override_max_request_size=str(2 * BIG))
        self.wait_for(("r", 1, "one"))
        self.session.run(f"INSERT INTO t VALUES (2, REPEAT('x', {BIG}))")
        self.wait_for(("c", 2, "x" * BIG))


class Restarted(ProcessTest):
    def test_a_worker_killed_within_a_large_transaction_loses_nothing(self):
        rows, topic = 100_000, "large.large.t"
        db = CdcServer(self.folder).start()
        self.addCleanup(db.stop)
        worker = CdcWorker(self.folder / "worker", settings={f"{part}.converter.schemas.enable": "false" for part in ("key", "value")})
        self.addCleanup(worker.stop)
        worker.start()
        with db.session() as session:
            for statement in ("CREATE DATABASE large", "USE large", "CREATE TABLE large.t (id INT PRIMARY KEY, v VARCHAR(20))", "INSERT INTO large.t VALUES (0, '')"):
                session.run(statement)
            worker.connector("large").create(connector_config(db, worker, "large", table_include_list="large.t"))
            kafka = worker.kafka()
            self.addCleanup(kafka.close)
            arrived = lambda: kafka.highs([topic]).get(topic, 0)
            eventually(lambda: arrived() == 1, "the snapshot")
            session.run(f"INSERT INTO large.t SELECT seq, 'row' FROM seq_1_to_{rows}")
        for part in (4, 2):
            eventually(lambda: arrived() > rows // part, f"a part of the transaction, 1/{part}")
            worker.kill()
            worker.start()
        last = lambda: kafka.highs([topic])[topic] > rows and {int(cdc_support.envelope(r.key)["id"]) for r in kafka.read([topic])}
        self.assertEqual(set(range(rows + 1)), eventually(lambda: (seen := last()) and rows in seen and seen, "the last row"))


if __name__ == "__main__":
    unittest.main()
