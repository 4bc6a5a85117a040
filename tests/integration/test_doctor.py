"""`millrace doctor connector.json` against real servers: nothing to say where all is well, and else the statement that mends it, which
this test then executes.
"""
import json
import subprocess
import unittest

import cdc_support
from support import PASSWORD, PROGRAM, MariaDb, ProcessTest

GRANT = "GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO cdc@'%'"


class Doctor(ProcessTest):
    def start(self, server):
        self.db = server.start()
        self.addCleanup(self.db.stop)
        self.db.sql(f"CREATE DATABASE mydb; CREATE TABLE mydb.users (id INT PRIMARY KEY); CREATE USER cdc@'%' IDENTIFIED BY '{PASSWORD}'; {GRANT};"
                    "SET GLOBAL gtid_strict_mode=ON")

    def setUp(self):
        super().setUp()
        (self.folder / "secrets").write_text(f"right={PASSWORD}\nwrong=x\n")
        (self.folder / "worker.properties").write_text(
            "config.providers=file\nconfig.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider\n"
            "key.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter=org.apache.kafka.connect.json.JsonConverter\n")

    def ask(self, password="right", **more):
        """(exit code, {severity: [message]})"""
        config = {"connector.class": "io.debezium.connector.mariadb.MariaDbConnector", "tasks.max": "1", "topic.prefix": "shop",
                  "database.hostname": "127.0.0.1", "database.port": str(self.db.port), "database.user": "cdc",
                  "database.password": f"${{file:{self.folder}/secrets:{password}}}", "database.server.id": "5400",
                  "database.include.list": "mydb", "schema.history.internal": "io.debezium.relational.history.MemorySchemaHistory",
                  **{name.replace("_", "."): value for name, value in more.items()}}
        path = self.folder / "connector.json"
        path.write_text(json.dumps({"name": "shop-changes", "config": config}))
        done = subprocess.run([PROGRAM, "doctor", "--json", "--worker", self.folder / "worker.properties", path], capture_output=True, text=True,
                              timeout=60)
        found = {"error": [], "warning": [], "notice": []}
        for finding in json.loads(done.stdout)["findings"]:
            found[finding["severity"]].append(finding["message"])
        return done.returncode, found

    def assert_well(self, **more):
        self.assertEqual((0, {"error": [], "warning": [], "notice": []}), self.ask(**more))

    def assert_error(self, *wanted, **more):
        """One error with all of `wanted` in it."""
        code, found = self.ask(**more)
        self.assertEqual((2, 1), (code, len(found["error"])), found)
        for text in wanted:
            self.assertIn(text, found["error"][0])

    def test_what_a_server_lacks_and_what_mends_it(self):
        self.start(cdc_support.CdcServer(self.folder))
        self.assert_well()
        with self.subTest("the wrong password"):
            self.assert_error("Access denied for user 'cdc'", "database.password", "ALTER USER ... IDENTIFIED BY", password="wrong")
        for broken, wanted, mending in [
                ("SET GLOBAL binlog_format=MIXED", "binlog_format=MIXED", "SET GLOBAL binlog_format=ROW"),
                ("SET GLOBAL binlog_row_image=MINIMAL", "binlog_row_image=MINIMAL", "SET GLOBAL binlog_row_image=FULL"),
                ("REVOKE REPLICATION SLAVE ON *.* FROM cdc@'%'", "may not read the binlog", "GRANT REPLICATION SLAVE ON *.* TO 'cdc'@'%'"),
                ("REVOKE BINLOG MONITOR ON *.* FROM cdc@'%'", "which binlog files", "GRANT BINLOG MONITOR ON *.* TO 'cdc'@'%'"),
                ("REVOKE SELECT ON *.* FROM cdc@'%'", "may read no table", "GRANT SELECT ON *.* TO 'cdc'@'%'")]:
            with self.subTest(broken):
                self.db.sql(broken)
                self.assert_error(wanted, mending)
                self.db.sql(mending)
                self.assert_well()
        with self.subTest("warnings"):
            self.db.sql("SET GLOBAL binlog_row_metadata=MINIMAL; CREATE TABLE mydb.keyless (a INT)")
            code, found = self.ask(database_server_id="1")
            self.assertEqual((0, []), (code, found["error"]))
            for text in ("SET GLOBAL binlog_row_metadata=FULL", "mydb.keyless", "the server's own server_id"):
                self.assertTrue(any(text in message for message in found["warning"]), found)

    def test_a_server_without_a_binlog(self):
        self.start(MariaDb(self.folder, ["--binlog-format=ROW"]))
        self.assert_error("log_bin is off", "set log_bin, server_id and binlog_format=ROW in the server's option file and restart it")

    def test_no_server(self):
        self.start(cdc_support.CdcServer(self.folder))
        self.assert_error("Unable to connect", "check that the server runs", database_port="1")


if __name__ == "__main__":
    unittest.main()
