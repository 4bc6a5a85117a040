"""Change data capture as its users meet it: changes arrive, the connector obeys its REST calls, and what is wrong is told in its status."""
import shutil
import tempfile
import unittest

from cdc_support import CdcServer, CdcWorker, connector_config, envelope
from mariadb_client import SqlError
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

    def records(self, topic=None):
        """(key, value) of a topic."""
        return [(envelope(r.key), envelope(r.value)) for r in self.kafka.read([topic or self.topic])]

    def arrived(self, count, topic=None):
        """The records of a topic, once there are as many; there may not be more."""
        eventually(lambda: self.kafka.highs([topic or self.topic]).get(topic or self.topic, 0) >= count, f"{count} records")
        found = self.records(topic)
        self.assertEqual(count, len(found), found)
        return found

    def run_all(self, *statements):
        """The GTID of each."""
        return [self.session.run(statement) and None or self.session.value("SELECT @@last_gtid") for statement in statements]

    def places(self, kind, table):
        """(file, position) of events of the last binlog, each after a map of the table; all of this test's statements are in it."""
        file = self.session.run("SHOW MASTER STATUS")[0][0].decode()
        found, map_of = [], ""
        for _, position, event, _, _, info in self.session.run(f"SHOW BINLOG EVENTS IN '{file}'"):
            if event == b"Table_map":
                map_of = info.decode()
            elif event.decode().startswith(kind) and f"({self.name}.{table})" in map_of:
                found.append((file, int(position)))
        return found

    def test_changes_arrive(self):
        self.make()
        self.wait_for(("r", 1, "one"))
        for statement in ("INSERT INTO t VALUES (2, 'two')", "UPDATE t SET v = 'deux' WHERE id = 2", "DELETE FROM t WHERE id = 1",
                          "UPDATE t SET id = 3 WHERE id = 2"):
            self.session.run(statement)
        self.wait_for(("c", 2, "two"), ("u", 2, "deux"), ("d", 1, None), ("d", 2, None), ("c", 3, "deux"))

    def test_an_event_tells_what_was_when_and_where(self):
        self.make()
        self.wait_for(("r", 1, "one"))
        gtids = self.run_all("INSERT INTO t VALUES (2, 'two'), (3, NULL)", "UPDATE t SET v = 'x' WHERE id > 1", "DELETE FROM t WHERE id = 2")
        records = self.arrived(6)
        self.assertEqual([{"id": 1}, {"id": 2}, {"id": 3}, {"id": 2}, {"id": 3}, {"id": 2}], [key for key, _ in records])
        one, two, three = {"id": 1, "v": "one"}, {"id": 2, "v": "two"}, {"id": 3, "v": None}
        self.assertEqual([("r", None, one), ("c", None, two), ("c", None, three), ("u", two, {"id": 2, "v": "x"}),
                          ("u", three, {"id": 3, "v": "x"}), ("d", {"id": 2, "v": "x"}, None)],
                         [(event["op"], event["before"], event["after"]) for _, event in records])
        for _, event in records:
            self.assertEqual({"before", "after", "source", "transaction", "op", "ts_ms", "ts_us", "ts_ns"}, set(event))
            self.assertIsNone(event["transaction"])
        read, *changes = [event["source"] for _, event in records]
        self.assertEqual(("last", self.name, self.name, "t", None, 0), tuple(
            read[field] for field in ("snapshot", "name", "db", "table", "gtid", "server_id")))
        (inserted,), (updated,), (deleted,) = [self.places(kind, "t")[-1:] for kind in ("Write_rows", "Update_rows", "Delete_rows")]
        wanted = [(gtids[0], inserted, 0), (gtids[0], inserted, 1), (gtids[1], updated, 0), (gtids[1], updated, 1), (gtids[2], deleted, 0)]
        self.assertEqual(wanted, [(s["gtid"], (s["file"], s["pos"]), s["row"]) for s in changes])
        for source in changes:
            self.assertEqual(("mariadb", "false", self.name, self.name, "t", 1, None), tuple(
                source[field] for field in ("connector", "snapshot", "name", "db", "table", "server_id", "query")))
            self.assertEqual(source["ts_ms"] * 1000, source["ts_us"])

    def test_deletes_leave_tombstones_and_changed_keys_name_each_other(self):
        self.make(tombstones_on_delete=None)
        self.wait_for(("r", 1, "one"))
        self.run_all("UPDATE t SET id = 2", "DELETE FROM t")
        self.arrived(6)
        found = [(envelope(r.key)["id"], (value := envelope(r.value)) and value["op"],
                  {name: envelope(data) for name, data in r.headers if "key" in name}) for r in self.kafka.read([self.topic])]
        new, old = {"__debezium.newkey": {"id": 2}}, {"__debezium.oldkey": {"id": 1}}
        self.assertEqual([(1, "r", {}), (1, "d", new), (1, None, new), (2, "c", old), (2, "d", {}), (2, None, {})], found)

    def without_metadata(self):
        """Table maps say neither names nor character sets, as is a server's default; for this test alone."""
        self.session.run("SET GLOBAL binlog_row_metadata = 'NO_LOG'")
        self.addCleanup(self.session.run, "SET GLOBAL binlog_row_metadata = 'FULL'")
        self.addCleanup(self.session.run, "FLUSH BINARY LOGS")

    def rows(self, count, table):
        """What the last `count` records of a table had after the change."""
        return [event["after"] for _, event in self.arrived(count, f"{self.name}.{self.name}.{table}")]

    def test_hidden_columns_need_no_names(self):
        self.without_metadata()
        self.run_all("CREATE TABLE versioned (id INT PRIMARY KEY, v TEXT) WITH SYSTEM VERSIONING",
                     "CREATE TABLE hashed (id INT PRIMARY KEY, v TEXT, UNIQUE (v))",
                     "CREATE TABLE both_ (id INT PRIMARY KEY, v TEXT, UNIQUE (v)) WITH SYSTEM VERSIONING")
        self.make(table_include_list=f"{self.name}.*")
        self.arrived(1)
        for table in ("versioned", "hashed", "both_"):
            self.run_all(f"INSERT INTO {table} VALUES (1, 'a'), (2, 'b')", f"DELETE FROM {table} WHERE id = 2")
        # A versioned table's row is not deleted: the binlog has an update of the hidden row_end.
        for table, deleted in (("hashed", None), ("versioned", {"id": 2, "v": "b"}), ("both_", {"id": 2, "v": "b"})):
            self.assertEqual([{"id": 1, "v": "a"}, {"id": 2, "v": "b"}, deleted], self.rows(3, table), table)

    def test_statements_are_in_the_charset_of_their_client(self):
        self.without_metadata()
        self.make(table_include_list=f"{self.name}.*")
        self.arrived(1)
        for charset, word in (("latin1", "grün"), ("gbk", "乗綠"), ("utf8mb4", "grün")):
            self.run_all(f"SET NAMES {charset}")
            create = f"CREATE TABLE {charset} (id INT PRIMARY KEY, {word} ENUM('{word}', 'x') CHARSET utf8mb4 COMMENT '{word}')"
            self.session.run(create.encode(charset.replace("mb4", "")))
            self.run_all(f"INSERT INTO {charset} VALUES (1, 1), (2, 'x')")
            self.assertEqual([{"id": 1, word: word}, {"id": 2, word: "x"}], self.rows(2, charset))
            told = [value for _, value in self.records(self.name) if f"CREATE TABLE {charset}" in value["ddl"]]
            column = told[-1]["tableChanges"][0]["table"]["columns"][1]
            self.assertIn(f"COMMENT '{word}'", told[-1]["ddl"])
            self.assertEqual((word, [f"'{word}'", "'x'"]), (column["name"], column["enumValues"]))

    def test_charsets_of_databases_outlive_a_restart(self):
        self.without_metadata()
        other = self.name + "_2"
        connector = self.make(table_include_list=f"{self.name}.*,{other}.*",
                              schema_history_internal_store_only_captured_tables_ddl="true")  # not those of databases
        self.arrived(1)
        self.run_all(f"CREATE DATABASE {other} CHARACTER SET cp1251", "INSERT INTO t VALUES (2, 'two')")
        self.arrived(2)
        connector.stop()
        self.run_all("SET NAMES utf8mb4", f"CREATE TABLE {other}.t (id INT PRIMARY KEY, v VARCHAR(20))",
                     f"INSERT INTO {other}.t VALUES (1, 'Привет')")
        connector.resume()
        found = self.arrived(1, f"{self.name}.{other}.t")
        self.assertEqual([{"id": 1, "v": "Привет"}], [event["after"] for _, event in found])

    def test_truncate_is_told_where_it_is_wanted(self):
        self.make(skipped_operations="none")
        self.arrived(1)
        self.run_all("TRUNCATE TABLE t", "INSERT INTO t VALUES (2, 'two')")
        found = [(key, e["op"], e["before"], e["after"]) for key, e in self.arrived(3)]
        self.assertEqual([({"id": 1}, "r", None, {"id": 1, "v": "one"}), (None, "t", None, None), ({"id": 2}, "c", None, {"id": 2, "v": "two"})],
                         found)

    def test_truncate_is_passed_over_by_default(self):
        self.make()
        self.wait_for(("r", 1, "one"))
        self.run_all("TRUNCATE TABLE t", "INSERT INTO t VALUES (2, 'two')")
        self.wait_for(("c", 2, "two"))

    def test_columns_come_and_go(self):
        self.make()
        self.arrived(1)
        ddl = ["ALTER TABLE t ADD COLUMN n INT NOT NULL DEFAULT 7 AFTER id", "ALTER TABLE t RENAME COLUMN v TO w",
               "ALTER TABLE t MODIFY COLUMN n VARCHAR(20)", "ALTER TABLE t DROP COLUMN w"]
        values = ["2, 2, 'b'", "3, 3, 'c'", "4, 'four', 'd'", "5, 'five'"]
        gtids = []
        for statement, row in zip(ddl, values):
            gtids += self.run_all(statement)
            self.run_all(f"INSERT INTO t VALUES ({row})")
        self.assertEqual([{"id": 1, "v": "one"}, {"id": 2, "n": 2, "v": "b"}, {"id": 3, "n": 3, "w": "c"}, {"id": 4, "n": "four", "w": "d"},
                          {"id": 5, "n": "five"}], [event["after"] for _, event in self.arrived(5)])
        told = [(key, value) for key, value in self.records(self.name) if value["source"]["snapshot"] == "false"]
        self.assertEqual([({"databaseName": self.name}, statement, gtid, self.name) for statement, gtid in zip(ddl, gtids)],
                         [(key, value["ddl"], value["source"]["gtid"], value["databaseName"]) for key, value in told])
        columns = [[(c["name"], c["typeName"], c["position"]) for c in value["tableChanges"][0]["table"]["columns"]] for _, value in told]
        self.assertEqual([[("id", "INT", 1), ("n", "INT", 2), ("v", "LONGTEXT", 3)], [("id", "INT", 1), ("n", "INT", 2), ("w", "LONGTEXT", 3)],
                          [("id", "INT", 1), ("n", "VARCHAR", 2), ("w", "LONGTEXT", 3)], [("id", "INT", 1), ("n", "VARCHAR", 2)]], columns)
        self.assertEqual({("ALTER", f'"{self.name}"."t"', ("id",))},
                         {(c["type"], c["id"], tuple(c["table"]["primaryKeyColumnNames"])) for _, v in told for c in v["tableChanges"]})

    def test_the_topic_of_schemas_begins_with_those_of_the_snapshot(self):
        self.make()
        self.arrived(1)
        self.run_all(f"CREATE TABLE {self.name}.other (id INT)", "DROP TABLE t", "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
        self.arrived(2)
        found = [(v["source"]["snapshot"], [c["type"] for c in v["tableChanges"]]) for _, v in self.records(self.name)
                 if (v["databaseName"], v["source"]["table"]) == (self.name, "t")]
        self.assertEqual([("true", ["DROP"]), ("true", ["CREATE"]), ("false", ["DROP"]), ("false", ["CREATE"])], found)

    def test_transactions_are_told(self):
        self.session.run("CREATE TABLE u (id INT PRIMARY KEY)")
        self.make(provide_transaction_metadata="true", table_include_list=f"{self.name}.t,{self.name}.u")
        self.arrived(1)
        self.run_all("BEGIN", "INSERT INTO t VALUES (2, 'two')", "INSERT INTO u VALUES (1)", "SAVEPOINT s", "INSERT INTO u VALUES (2)",
                     "ROLLBACK TO s", "UPDATE t SET v = 'x' WHERE id = 1")
        first, = self.run_all("COMMIT")
        self.run_all("BEGIN", "INSERT INTO u VALUES (3)", "ROLLBACK")
        second, = self.run_all("INSERT INTO u VALUES (4)")
        self.run_all("INSERT INTO u VALUES (5)")  # the end of the one before may be told together with it
        found = self.arrived(6, f"{self.name}.transaction")[:4]
        t, u = f"{self.name}.t", f"{self.name}.u"
        self.assertEqual([{"id": first}, {"id": first}, {"id": second}, {"id": second}], [key for key, _ in found])
        self.assertEqual([("BEGIN", first, None, None), ("END", first, 3, {t: 2, u: 1}), ("BEGIN", second, None, None), ("END", second, 1, {u: 1})],
                         [(v["status"], v["id"], v["event_count"], v["data_collections"] and {
                             c["data_collection"]: c["event_count"] for c in v["data_collections"]}) for _, v in found])
        self.assertEqual([None, {"id": first, "total_order": 1, "data_collection_order": 1},
                          {"id": first, "total_order": 3, "data_collection_order": 2}], [v["transaction"] for _, v in self.arrived(3)])
        self.assertEqual([{"id": first, "total_order": 2, "data_collection_order": 1}, {"id": second, "total_order": 1, "data_collection_order": 1}],
                         [v["transaction"] for _, v in self.arrived(3, f"{self.name}.{u}")][:2])

    def test_heartbeats_carry_the_offset_past_what_is_not_captured(self):
        self.session.run("CREATE TABLE beats (n INT)")
        connector = self.make(heartbeat_interval_ms="50", heartbeat_action_query=f"INSERT INTO {self.name}.beats VALUES (1)")
        self.wait_for(("r", 1, "one"))
        topic = f"__debezium-heartbeat.{self.name}"
        eventually(lambda: self.kafka.highs([topic]).get(topic, 0) > 2, "heartbeats")
        for key, value in self.records(topic):
            self.assertEqual(({"serverName": self.name}, {"ts_ms"}), (key, set(value)))
        self.assertGreaterEqual(int(self.session.value("SELECT COUNT(*) FROM beats")), 2)
        gtid = self.run_all("INSERT INTO beats VALUES (2)")[0]
        reached = lambda: int(connector.offsets()[0]["offset"]["gtids"].split("-")[2]) >= int(gtid.split("-")[2])
        eventually(reached, "the offset passes a change of no captured table")
        self.wait_for()

    def test_the_status_tells_what_has_been_done(self):
        connector = self.make()
        self.wait_for(("r", 1, "one"))
        self.run_all("INSERT INTO t VALUES (2, 'two'), (3, 'three')", "UPDATE t SET v = 'x'", "DELETE FROM t WHERE id = 2")
        progress = lambda: connector.call("GET", "/status").json["tasks"][0].get("progress", {})
        counts = lambda: tuple(progress().get(f"events_{kind}") for kind in ("read", "created", "updated", "deleted"))
        eventually(lambda: counts() == (1, 2, 3, 1), "all is counted")
        file, position = [value.decode() for value in self.session.run("SHOW MASTER STATUS")[0][:2]]
        eventually(lambda: (p := progress())["phase"] == "streaming" and (p["binlog_file"], p["binlog_position"]) == (file, int(position)),
                   "it is at the end of the binlog")

    def test_wrong_settings_are_told_before_anything_runs(self):
        def errors(**more):
            answer = self.worker_.request("PUT", f"/connector-plugins/{self.config()['connector.class']}/config/validate",
                                          {"name": self.name, **self.config(**more)})
            self.assertEqual(200, answer.status, answer.text)
            found = {each["value"]["name"]: each["value"]["errors"] for each in answer.json["configs"] if each["value"]["errors"]}
            self.assertEqual(answer.json["error_count"], sum(map(len, found.values())))
            return found
        self.assertEqual({}, errors())
        needed, one_of = "A value is required", "Value must be one of"
        for wrong, setting, what in [
                ({"database_server_id": None}, "database.server.id", needed), ({"database_hostname": None}, "database.hostname", needed),
                ({"topic_prefix": "a b"}, "topic.prefix",
                 "a b has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)"),
                ({"table_include_list": "("}, "table.include.list",
                 "A comma-separated list of valid regular expressions is expected, but Unclosed group near index 1\n("),
                ({"snapshot_mode": "sometimes"}, "snapshot.mode",
                 f"{one_of} always, never, initial_only, configuration_based, when_needed, initial, custom, no_data, recovery"),
                ({"decimal_handling_mode": "roman"}, "decimal.handling.mode", f"{one_of} string, double, precise")]:
            with self.subTest(setting):
                found = errors(**wrong)
                self.assertEqual([setting], list(found))
                self.assertEqual([f"The '{setting}' value is invalid: {what}"], found[setting])
        self.assertEqual({"max.batch.size": ["Invalid value many for configuration max.batch.size: Not a number of type INT"]},
                         errors(max_batch_size="many"))
        (refused,), = errors(database_password="wrong").values()
        self.assertRegex(refused, "^Unable to connect: .*Access denied for user 'root'")
        config = self.config(snapshot_mode="sometimes")
        self.assertEqual(400, self.worker_.create(self.name, config).status)
        self.assertEqual(404, self.worker_.get(f"/connectors/{self.name}").status)

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


    def test_connections_lost_within_a_transaction_lose_and_repeat_no_row(self):
        """Lost within rows, and again while the rows that are written already are passed over."""
        rows, connector = 30_000, self.make(max_queue_size_in_bytes="65536")  # and large rows: what is read ahead is not lost
        self.wait_for(("r", 1, "one"))
        self.run_all(f"INSERT INTO t SELECT seq, REPEAT('x', 1000) FROM seq_2_to_{rows}")
        lost, dumps = 0, "SELECT id FROM information_schema.processlist WHERE command = 'Binlog Dump'"
        high = lambda: self.kafka.highs([self.topic])[self.topic]
        for part in range(1, 10):
            eventually(lambda: high() > rows * part // 10, f"part {part}")
            for _ in range(2):
                if dump := eventually(lambda: self.session.run(dumps) or high() >= rows, "the stream is read (again)"):
                    if dump is not True:
                        try:
                            self.session.run(f"KILL {dump[0][0].decode()}")
                            lost += 1
                        except SqlError:
                            pass  # gone by itself
        self.assertGreater(lost, 3)
        eventually(lambda: high() >= rows, "all rows")
        self.session.run(f"INSERT INTO t VALUES ({rows + 1}, NULL)")
        eventually(lambda: self.events()[-1][1] == rows + 1, "what comes after them")
        self.assertEqual(list(range(1, rows + 2)), [key for _, key, _ in self.events()])
        self.assertFalse(connector.failed())


class Restarted(ProcessTest):
    def test_a_worker_killed_within_a_large_transaction_loses_nothing(self):
        rows, topic = 100_000, "large.large.t"
        db = CdcServer(self.folder).start()
        self.addCleanup(db.stop)
        worker = CdcWorker(self.folder / "worker", settings={f"{part}.converter.schemas.enable": "false" for part in ("key", "value")})
        self.addCleanup(worker.stop)
        worker.start()
        with db.session() as session:
            for statement in ("CREATE DATABASE large", "CREATE TABLE large.t (id INT PRIMARY KEY, v VARCHAR(20))",
                              "INSERT INTO large.t VALUES (0, '')"):
                session.run(statement)
            worker.connector("large").create(connector_config(db, worker, "large", table_include_list="large.t"))
            kafka = worker.kafka()
            self.addCleanup(kafka.close)
            arrived = lambda: kafka.highs([topic]).get(topic, 0)
            eventually(lambda: arrived() == 1, "the snapshot")
            session.run(f"INSERT INTO large.t SELECT seq, 'row' FROM large.seq_1_to_{rows}")
        for part in (4, 2):
            eventually(lambda: arrived() > rows // part, f"a part of the transaction, 1/{part}")
            worker.kill()
            worker.start()
        last = lambda: kafka.highs([topic])[topic] > rows and {int(envelope(r.key)["id"]) for r in kafka.read([topic])}
        self.assertEqual(set(range(rows + 1)), eventually(lambda: (seen := last()) and rows in seen and seen, "the last row"))


if __name__ == "__main__":
    unittest.main()
