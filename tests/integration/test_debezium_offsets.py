"""Debezium's connectors move here and go on where they were, without a snapshot: from a worker's REST API (`millrace import`), from the
offset file of Kafka Connect's standalone mode, and from a dump of a cluster's offset topic.
"""
import json
import os
import struct
import subprocess
import unittest

import cdc_support
from support import BUILD, PROGRAM, ProcessTest, eventually

PREFIX, NAME, TOPIC = "shop", "shop-changes", "shop.mydb.users"


def java_map(entries):
    """HashMap<byte[], byte[]>, byte for byte as Java's serialization writes it."""
    out = bytearray(bytes.fromhex("aced0005") + b"sr" + struct.pack(">H", 17) + b"java.util.HashMap" + bytes.fromhex("0507dac1c31660d1")
                    + b"\3\0\2" + b"F\0\nloadFactor" + b"I\0\tthreshold" + b"xp" + struct.pack(">fI", 0.75, 12)
                    + b"w\x08" + struct.pack(">II", 16, len(entries)))
    described = False
    for data in (part for entry in entries.items() for part in entry):
        out += b"uq" + bytes.fromhex("007e0002") if described else b"ur\0\2[B" + bytes.fromhex("acf317f8060854e0") + b"\2\0\0xp"
        out += struct.pack(">I", len(data)) + data
        described = True
    return bytes(out + b"x")


class DebeziumOffsets(ProcessTest):
    def setUp(self):
        super().setUp()
        self.db = cdc_support.CdcServer(self.folder).start()
        self.addCleanup(self.db.stop)
        self.writer = self.db.session()
        self.addCleanup(self.writer.close)
        self.run_sql("CREATE DATABASE mydb", "CREATE TABLE mydb.users (id INT PRIMARY KEY, name VARCHAR(20))",
                     "INSERT INTO mydb.users VALUES (1, 'one'), (2, 'two'), (3, 'three')")
        file, position = self.writer.run("SHOW MASTER STATUS")[0][:2]
        gtids = self.writer.run("SELECT @@gtid_binlog_pos")[0][0]
        # As Debezium stores it in the middle of the transaction that follows: its beginning, and what of it has been written, the first
        # row of the first event of rows.
        self.offset = {"ts_sec": 1795227359, "file": file.decode(), "pos": int(position), "gtids": gtids.decode(), "row": 1, "server_id": 1,
                       "event": 2}
        self.run_sql("INSERT INTO mydb.users VALUES (4, 'four'), (5, 'five')", "UPDATE mydb.users SET name = 'uno' WHERE id = 1",
                     "DELETE FROM mydb.users WHERE id = 2")

    def run_sql(self, *statements):
        for statement in statements:
            self.writer.run(statement)

    def node(self, name, mode="standalone", **settings):
        node = cdc_support.CdcWorker(self.folder / name, mode, settings)
        self.addCleanup(node.stop)
        return node.start()

    def config(self, node, **more):
        return cdc_support.connector_config(self.db, node, PREFIX, database_include_list="mydb", **more)

    def millrace(self, *arguments, worker):
        done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=120, cwd=self.folder,
                              env={**os.environ, "MILLRACE_URL": f"http://127.0.0.1:{worker.port}"})
        self.assertEqual(0, done.returncode, f"{arguments}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def create_stopped(self, node, config):
        answer = node.request("POST", "/connectors", {"name": NAME, "config": config, "initial_state": "STOPPED"})
        self.assertEqual(201, answer.status, answer.text)
        node.wait_for_states(NAME, ["STOPPED"])

    def goes_on(self, node):
        """What was there before the offset does not come again, and what was not yet written comes."""
        kafka = node.kafka()
        self.addCleanup(kafka.close)

        def seen():
            events = [(json.loads(record.key), cdc_support.envelope(record.value)) for record in kafka.read([TOPIC])]
            return [(key["payload"]["id"], event["op"]) for key, event in events if event]
        eventually(lambda: len(seen()) >= 3, "the changes after the offset have come")
        self.run_sql("INSERT INTO mydb.users VALUES (6, 'six')")
        eventually(lambda: (6, "c") in seen(), "a new change has come")
        self.assertEqual([(5, "c"), (1, "u"), (2, "d"), (6, "c")], seen())
        stored = eventually(lambda: node.connector(NAME).offsets() if node.connector(NAME).offsets()[0]["offset"] != self.offset else None,
                            "the offset moves on")
        self.assertEqual({"server": PREFIX}, stored[0]["partition"])

    def test_import_from_a_worker(self):
        old, here = self.node("old"), self.node("here")
        self.create_stopped(old, self.config(here))
        answer = old.request("PATCH", f"/connectors/{NAME}/offsets", {"offsets": [{"partition": {"server": PREFIX}, "offset": self.offset}]})
        self.assertEqual(200, answer.status, answer.text)
        url = f"http://127.0.0.1:{old.port}"
        self.assertIn("create", self.millrace("import", url, worker=here))
        self.assertIn("created, 1 offset(s) verified", self.millrace("import", url, "--apply", worker=here))
        self.assertEqual(self.offset, here.connector(NAME).offsets()[0]["offset"])
        self.millrace("connectors", "resume", NAME, "--wait", worker=here)
        self.goes_on(here)

    def test_the_offset_file_of_kafka_connect(self):
        path = self.folder / "connect.offsets"
        key = json.dumps([NAME, {"server": PREFIX}], separators=(",", ":"))
        path.write_bytes(java_map({key.encode(): json.dumps(self.offset, separators=(",", ":")).encode(), b'["another",{"server":"x"}]': b"{}"}))
        node = self.node("worker", **{"offset.storage.file.filename": str(path)})
        # No schema history, and none needed.
        node.must_create(NAME, self.config(node, schema_history_internal_kafka_bootstrap_servers=None, schema_history_internal_kafka_topic=None))
        self.goes_on(node)

    def test_a_dump_of_an_offset_topic(self):
        node = self.node("worker")
        kafka = node.kafka()
        self.addCleanup(kafka.close)
        key = json.dumps([NAME, {"server": PREFIX}], separators=(",", ":")).encode()
        node.topic_tool("--create", "--topic", "old-offsets", "--partitions", "1")
        for offset in ({**self.offset, "pos": 4, "gtids": "0-1-1"}, self.offset):
            kafka.produce("old-offsets", key, json.dumps(offset).encode())
        kafka.produce("old-offsets", b'["another",{"server":"shop"}]', b'{"file":"bin.000001","pos":4}')
        dump = subprocess.run([BUILD / "bin/kafka-console-consumer", "--bootstrap-server", node.bootstrap, "--topic", "old-offsets",
                               "--from-beginning", "--property", "print.key=true", "--timeout-ms", "3000"], capture_output=True, text=True,
                              timeout=60).stdout
        (self.folder / "offsets.txt").write_text(dump)
        self.create_stopped(node, self.config(node))
        self.millrace("connectors", "offsets", "set", NAME, self.folder / "offsets.txt", worker=node)
        self.assertEqual(self.offset, node.connector(NAME).offsets()[0]["offset"])
        self.millrace("connectors", "resume", NAME, "--wait", worker=node)
        self.goes_on(node)


if __name__ == "__main__":
    unittest.main()
