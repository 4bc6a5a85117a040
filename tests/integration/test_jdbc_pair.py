"""The main job: a MariaDB table into the log and on into another table."""
import os
import random
import time
import unittest

from support import PASSWORD, DatabaseTest, eventually

USERS = ("CREATE TABLE {db}.users (id int auto_increment primary key, user_id varchar(20), pwd varchar(20), "
         "name varchar(20), created_at datetime default now())")


class JdbcPair(DatabaseTest):
    def databases(self, *names):
        for name in names:
            self.db.sql(f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} CHARACTER SET utf8mb4")

    def count(self, table):
        return int(self.db.sql(f"SELECT count(*) FROM {table}"))

    def test_the_well_known_pair_verbatim(self):
        self.databases("mydb")
        self.db.sql(USERS.format(db="mydb"))
        self.db.sql("INSERT INTO mydb.users (user_id, pwd, name) VALUES ('u1','p1','Ann'), ('u2',NULL,'Bjørn 🚀'), (NULL,'p\"3','')")
        worker = self.worker().start()
        url = f"jdbc:mysql://localhost:{self.db.port}/mydb"
        worker.must_create("my-source-connect", {
            "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", "connection.url": url,
            "connection.user": "root", "connection.password": PASSWORD, "mode": "incrementing", "incrementing.column.name": "id",
            "table.whitelist": "users", "topic.prefix": "my_topic_", "tasks.max": "1"})
        worker.must_create("my-sink-connect", {
            "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "connection.url": url,
            "connection.user": "root", "connection.password": PASSWORD, "auto.create": "true", "auto.evolve": "true",
            "delete.enabled": "false", "tasks.max": "1", "topics": "my_topic_users"})
        eventually(lambda: self.count("mydb.my_topic_users") == 3, "three rows arrived")
        self.assertEqual("", self.db.sql("SELECT * FROM mydb.users EXCEPT SELECT * FROM mydb.my_topic_users"))
        types = self.db.sql("SELECT column_name, column_type, is_nullable FROM information_schema.columns "
                            "WHERE table_schema='mydb' AND table_name='my_topic_users' ORDER BY ordinal_position")
        self.assertEqual(types.split("\n"), ["id\tint(11)\tNO", "user_id\ttext\tYES", "pwd\ttext\tYES", "name\ttext\tYES",
                                             "created_at\tdatetime(3)\tYES"])
        self.db.sql("INSERT INTO mydb.users (user_id) VALUES ('late')")
        eventually(lambda: self.count("mydb.my_topic_users") == 4, "a later insert follows")
        worker.wait_for_states("my-source-connect", ["RUNNING", "RUNNING"])
        self.assertEqual(0, worker.stop())

    def test_mariadb_urls_and_restart_without_repeats(self):
        self.databases("src", "dst")
        self.db.sql(USERS.format(db="src"))
        self.db.sql("INSERT INTO src.users (user_id) VALUES ('a'), ('b')")
        worker = self.worker().start()
        worker.must_create("source", self.source("src", "users") | {"connection.url": self.db.url("src", "mariadb")})
        worker.must_create("sink", self.sink("dst", "my_topic_users") | {"connection.url": self.db.url("dst", "mariadb")})
        eventually(lambda: self.count("dst.my_topic_users") == 2, "two rows arrived")
        self.assertEqual(0, worker.stop())
        self.db.sql("INSERT INTO src.users (user_id) VALUES ('c')")
        worker.start()  # connectors POSTed before survive the restart
        eventually(lambda: self.count("dst.my_topic_users") >= 3, "the third row arrived")
        self.assertEqual("1\n2\n3", self.db.sql("SELECT id FROM dst.my_topic_users ORDER BY id"))
        offsets = worker.get("/connectors/source/offsets").json
        self.assertEqual(offsets["offsets"][0]["partition"], {"protocol": "1", "table": "src.users"})

    def test_a_server_that_goes_away_and_returns(self):
        self.databases("src", "dst")
        self.db.sql(USERS.format(db="src"))
        self.db.sql("INSERT INTO src.users (user_id) VALUES ('a')")
        worker = self.worker().start()
        worker.must_create("source", self.source("src", "users"))
        worker.must_create("sink", self.sink("dst", "my_topic_users", **{"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}))
        eventually(lambda: self.count("dst.my_topic_users") == 1, "the first row arrived")
        self.db.kill()
        eventually(lambda: "task_retries" in worker.log_text() or "task_failed" in worker.log_text(), "the worker noticed")
        self.db.restart_on_same_port()
        self.db.sql("INSERT INTO src.users (user_id) VALUES ('b')")
        eventually(lambda: self.count("dst.my_topic_users") == 2, "the row after the outage arrived")
        worker.wait_for_states("source", ["RUNNING", "RUNNING"])
        worker.wait_for_states("sink", ["RUNNING", "RUNNING"])

    def test_wrong_input_says_what_to_do(self):
        self.databases("src", "dst")
        self.db.sql(USERS.format(db="src"))
        worker = self.worker().start()
        unknown = worker.create("c1", {"connector.class": "com.example.Nope"})
        self.assertEqual(unknown.status, 500)
        self.assertIn("Failed to find any class that implements Connector and which name matches com.example.Nope", unknown.json["message"])
        self.assertIn("io.confluent.connect.jdbc.JdbcSourceConnector", unknown.json["message"])
        missing = worker.create("c2", {"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": "t"})
        self.assertEqual(missing.status, 400)
        self.assertIn('Missing required configuration "connection.url" which has no default value.', missing.json["message"])
        wrong_password = worker.create("c3", self.source("src", "users") | {"connection.password": "secret-nobody-may-see"})
        text = wrong_password.text if wrong_password.status != 201 else worker.failed_trace("c3")
        self.assertIn("Access denied", text)
        self.assertNotIn("secret-nobody-may-see", text + worker.log_text())
        worker.must_create("c4", self.source("src", "no_such_table"))
        self.assertIn("not assigned a table", worker.failed_trace("c4"))
        down = worker.create("c5", self.source("src", "users") | {"connection.url": "jdbc:mysql://127.0.0.1:1/src"})
        text = down.text if down.status != 201 else worker.failed_trace("c5")
        self.assertIn("127.0.0.1", text)

    def test_kill_nine_twenty_times_loses_nothing(self):
        rows, kills = int(os.environ.get("MILLRACE_KILL_ROWS", "200000")), 20
        self.databases("src", "dst")
        self.db.sql("CREATE TABLE src.users (id int primary key, user_id varchar(20), name varchar(20))")
        worker = self.worker(settings={"consumer.max.poll.records": "1000"}).start()
        # Paced by its batches, so that the kills fall into the copy and not after it.
        worker.must_create("source", self.source("src", "users", **{"batch.max.rows": "100"}))
        upsert = {"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}
        worker.must_create("exact", self.sink("dst", "my_topic_users", **upsert, **{"table.name.format": "exact"}))
        worker.must_create("atleast", self.sink("dst", "my_topic_users", **{"table.name.format": "atleast"}))
        seed, step, in_the_middle = random.Random(20261121), rows // kills, 0
        for begin in range(0, rows, step):
            # Each kill meets a copy under way: rows have just come, and a fraction of a second is not enough for all.
            self.db.sql(f"INSERT INTO users SELECT seq, concat('u', seq), concat('name ', seq) FROM seq_{begin + 1}_to_{begin + step}", "src")
            time.sleep(seed.uniform(0.0, 0.25))  # the moment of the kill is the point; nothing waits for it
            worker.kill()
            in_the_middle += int(self.db.sql("SELECT count(*) FROM information_schema.tables WHERE table_schema='dst'")) < 2 or self.count(
                "dst.exact") < begin + step
            worker.start()
        self.assertGreater(in_the_middle, kills // 2, "most kills fell into the copy")
        eventually(lambda: self.count("dst.exact") == rows, "all rows are there exactly once", 240)
        eventually(lambda: int(self.db.sql("SELECT count(DISTINCT id) FROM dst.atleast")) == rows, "all rows are there at least once", 240)
        self.assertEqual("0", self.db.sql("SELECT count(*) FROM src.users s LEFT JOIN dst.exact d ON d.id = s.id AND d.user_id = s.user_id "
                                          "AND d.name = s.name WHERE d.id IS NULL"))

    def test_kill_nine_in_an_initial_load_does_not_start_it_again(self):
        rows = 300000
        for pages in ("0", "20000"):
            with self.subTest(pages=pages):
                self.databases("src", "dst")
                self.db.sql(f"CREATE TABLE users (id int primary key) AS SELECT seq AS id FROM seq_1_to_{rows}", "src")
                name = f"source{pages}"
                worker = self.worker(settings={"offset.flush.interval.ms": "100", "log.dirs": str(self.folder / f"log{pages}")}).start()

                def read_up_to():
                    offsets = worker.get(f"/connectors/{name}/offsets").json["offsets"]
                    return offsets[0]["offset"]["incrementing"] if offsets else 0

                worker.must_create(name, self.source("src", "users", **{"batch.max.rows": "20", "millrace.page.rows": pages}))
                eventually(lambda: read_up_to() > 10000, "the load is under way")
                before = read_up_to()
                worker.kill()
                self.assertLess(before, rows, "the kill fell into the load")
                worker.start()
                eventually(lambda: read_up_to() == rows, "the load ends", 240)
                worker.must_create("sink", self.sink("dst", "my_topic_users", **{"table.name.format": "copy"}))
                eventually(lambda: int(self.db.sql("SELECT count(DISTINCT id) FROM dst.copy")) == rows, "all rows are there", 240)
                again = self.db.sql("SELECT min(id) FROM (SELECT id FROM dst.copy GROUP BY id HAVING count(*) > 1) repeated")
                self.assertTrue(again == "NULL" or int(again) > before, f"{again}: rows before the stored offset {before} do not come again")
                self.assertEqual(0, worker.stop())


if __name__ == "__main__":
    unittest.main()
