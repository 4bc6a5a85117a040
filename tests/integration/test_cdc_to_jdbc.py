"""The main job of change data capture: the tables of one database, their changes as they are committed, in another database. A MariaDB
source as Debezium's users configure it, JsonConverter with schemas, and the JDBC sink; with change events as they are, and unwrapped.
"""
import os
import random
import statistics
import sys
import time
import unittest

import cdc_support
from support import PASSWORD, ProcessTest, eventually

SEED = int(os.environ.get("MILLRACE_SEED", random.SystemRandom().randrange(10**6)))
SOURCE, TARGET, PREFIX = "mydb", "otherdb", "cdc"
TABLES = {
    "users": ("id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40), email VARCHAR(80) UNIQUE, score DECIMAL(10,2), "
              "active BOOL NOT NULL DEFAULT 1, born DATE, seen DATETIME(6), changed TIMESTAMP(3) NULL, photo BLOB, notes TEXT, "
              "state ENUM('new','old','a,b'), level INT DEFAULT 7"),
    "orders": "customer INT, number INT, amount BIGINT, placed TIME(3), PRIMARY KEY (customer, number)",
    "devices": "code VARCHAR(40) PRIMARY KEY, label VARCHAR(40), flags BIT(12)",
    "visits": "id INT AUTO_INCREMENT PRIMARY KEY, page VARCHAR(40)",
}
ORDERS = "customer, number, amount, placed"


class CdcToJdbc(ProcessTest):
    def setUp(self):
        super().setUp()
        print(f"MILLRACE_SEED={SEED}", file=sys.stderr)
        self.rng = random.Random(f"{SEED}/{self.id()}")
        self.db = cdc_support.CdcServer(self.folder).start()
        self.addCleanup(self.db.stop)
        self.writer = self.db.session()
        self.addCleanup(self.writer.close)
        for database in (SOURCE, TARGET):
            self.run_sql(f"CREATE DATABASE {database} CHARACTER SET utf8mb4")
        self.run_sql(f"USE {SOURCE}", *(f"CREATE TABLE {name} ({columns})" for name, columns in TABLES.items()))
        # A NULL is a NULL also where the column has a default.
        self.node = cdc_support.CdcWorker(self.folder / "worker", "standalone", {"value.converter.replace.null.with.default": "false"})
        self.addCleanup(self.node.stop)
        self.node.start()

    def run_sql(self, *statements):
        for statement in statements:
            self.writer.run(statement)

    def connect(self, source=None, sink=None):
        self.node.must_create("mydb-changes", {
            **cdc_support.connector_config(self.db, self.node, PREFIX, database_include_list=SOURCE), **(source or {})})
        self.node.must_create("otherdb-copy", {
            "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "tasks.max": "1", "topics.regex": rf"{PREFIX}\.{SOURCE}\..*",
            "connection.url": self.db.url(TARGET, "mariadb"), "connection.user": "root", "connection.password": PASSWORD,
            "insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true", "auto.create": "true", "auto.evolve": "true",
            "transforms": "table", "transforms.table.type": "org.apache.kafka.connect.transforms.RegexRouter",
            "transforms.table.regex": rf"{PREFIX}\.{SOURCE}\.(.*)", "transforms.table.replacement": "$1",
            "consumer.override.metadata.max.age.ms": "200", **(sink or {})})

    # What a table holds, by value.

    def rows(self, database, table, columns):
        return sorted(map(repr, self.writer.run(f"SELECT {', '.join(columns)} FROM {database}.{table}")))

    def columns(self, table):
        """DATETIME and TIMESTAMP are the same reading with the same digits; all else is compared as the bytes that a client gets."""
        names = self.writer.run("SELECT column_name, data_type FROM information_schema.columns "
                                f"WHERE table_schema = '{SOURCE}' AND table_name = '{table}' ORDER BY ordinal_position")
        cast = {"datetime": "DATETIME(6)", "timestamp": "DATETIME(6)", "time": "TIME(6)"}
        kinds = [(name.decode(), kind.decode()) for name, kind in names]
        return [f"CAST(`{name}` AS {cast[kind]})" if kind in cast else f"`{name}`" for name, kind in kinds]

    def difference(self, table):
        columns = self.columns(table)
        ours, theirs = (self.rows(database, table, columns) for database in (SOURCE, TARGET))
        return None if ours == theirs else f"{table}: {len(ours)} and {len(theirs)} rows; missing {sorted(set(ours) - set(theirs))[:2]}, " \
                                           f"too many {sorted(set(theirs) - set(ours))[:2]}"

    def same(self, tables=tuple(TABLES), what="the tables are equal"):
        def look():
            found = [problem for problem in map(self.difference, tables) if problem]
            if found:
                raise AssertionError("; ".join(found))
            return True
        try:
            eventually(look, what)
        except AssertionError as problem:
            states = {name: self.node.states(name) for name in ("mydb-changes", "otherdb-copy")}
            raise AssertionError(f"{problem}\n{states}\n{self.node.log_text()[-3000:]}") from None

    # What the source's users do.

    def text(self):
        return "".join(self.rng.choice("abcÄß漢🚀 '\\\\"[:9]) for _ in range(self.rng.randrange(12))).replace("'", "''").replace("\\", "\\\\")

    def value_or_null(self, value):
        return "NULL" if self.rng.random() < 0.2 else value

    def new_user(self):
        rng = self.rng
        values = [f"'{rng.randrange(10**9)}@example.com'", f"{rng.randrange(-10**9, 10**9) / 100:.2f}",
                  f"'{rng.randrange(1900, 2100)}-02-{rng.randrange(1, 29):02}'",
                  f"'20{rng.randrange(10, 99)}-12-31 23:59:59.{rng.randrange(10**6):06}'", f"'2024-03-10 01:02:03.{rng.randrange(1000):03}'",
                  f"X'{rng.randbytes(8).hex()}'", f"'{self.text()}'", rng.choice(["'new'", "'old'", "'a,b'"]), str(rng.randrange(100))]
        return ("INSERT INTO users (name, active, email, score, born, seen, changed, photo, notes, state, level) VALUES "
                f"('{self.text()}', {rng.randrange(2)}, {', '.join(map(self.value_or_null, values))})")

    def change(self):
        rng = self.rng
        some = f"id % 7 = {rng.randrange(7)} ORDER BY id LIMIT 3"
        customer, number = rng.randrange(5), rng.randrange(50)
        return rng.choice([
            self.new_user,
            lambda: f"UPDATE users SET name = '{self.text()}', level = {self.value_or_null(rng.randrange(100))} WHERE {some}",
            lambda: f"DELETE FROM users WHERE {some}",
            lambda: f"UPDATE users SET id = id + {10**6 + rng.randrange(10**8)} WHERE id < 1000 AND id % 5 = {rng.randrange(5)} LIMIT 1",
            lambda: f"REPLACE INTO orders ({ORDERS}) VALUES ({customer}, {number}, {rng.randrange(-2**63, 2**63)}, '-{rng.randrange(800)}:00:01.5')",
            lambda: f"DELETE FROM orders WHERE customer = {customer} LIMIT 2",
            lambda: f"UPDATE IGNORE orders SET customer = customer + 1, number = number + 50 WHERE customer = {customer} LIMIT 1",
            lambda: f"INSERT IGNORE INTO devices VALUES ('d{rng.randrange(100)}', '{self.text()}', b'{rng.randrange(4096):b}')",
            lambda: f"UPDATE IGNORE devices SET code = 'e{rng.randrange(100)}' WHERE code = 'd{rng.randrange(100)}'",
            lambda: f"INSERT INTO visits (page) VALUES ('{self.text()}'), ('/')",
        ])()

    def transactions(self, count):
        for _ in range(count):
            end = "ROLLBACK" if self.rng.random() < 0.1 else "COMMIT"
            self.run_sql("BEGIN", *(self.change() for _ in range(self.rng.randrange(1, 6))), end)

    def run_all(self, truncates):
        self.run_sql(f"USE {SOURCE}")
        self.transactions(60)  # for the snapshot; each table has rows
        self.run_sql(self.new_user(), "INSERT IGNORE INTO devices VALUES ('first', '', b'1')", f"REPLACE INTO orders ({ORDERS}) VALUES (0, 0, 1, '0:0:1')",
                     "INSERT INTO visits (page) VALUES ('/first')")
        yield
        self.same(what="the snapshot has arrived")
        self.transactions(150)
        self.same(what="changes have arrived")
        self.run_sql("ALTER TABLE users ADD COLUMN nick VARCHAR(20) AFTER name, ADD COLUMN points INT", "ALTER TABLE orders ADD COLUMN vip BOOL",
                     "UPDATE users SET nick = concat('n', id) WHERE id % 2 = 0", "UPDATE orders SET vip = number % 2")
        self.transactions(40)
        self.same(what="the added columns have arrived")
        if truncates:
            self.run_sql("TRUNCATE TABLE visits", "INSERT INTO visits (page) VALUES ('/after')")
            self.same(what="the truncated table is equal")
            self.assertEqual(b"1", self.writer.run(f"SELECT count(*) FROM {TARGET}.visits")[0][0])
        self.run_sql("CREATE TABLE later (id INT PRIMARY KEY, name VARCHAR(10))", "INSERT INTO later VALUES (1, 'one'), (2, 'two')")
        self.same(["later"], "a table made later has arrived")
        self.node.kill()
        self.transactions(40)
        self.node.start()
        self.transactions(20)
        self.run_sql("DELETE FROM orders", "UPDATE later SET id = 3 WHERE id = 1", "DELETE FROM later WHERE id = 2")
        self.same([*TABLES, "later"], "all is equal after a kill")
        for name in ("mydb-changes", "otherdb-copy"):
            self.node.wait_for_states(name, ["RUNNING", "RUNNING"])

    def delay(self):
        """Seconds from a commit to the row's being seen in the other database: insert, update and delete of a row, some times."""
        delays = []
        for round_ in range(5):
            for statement, seen in ((f"INSERT INTO {SOURCE}.devices VALUES ('clock{round_}', 'a', b'1')", b"a"),
                                    (f"UPDATE {SOURCE}.devices SET label = 'b' WHERE code = 'clock{round_}'", b"b"),
                                    (f"DELETE FROM {SOURCE}.devices WHERE code = 'clock{round_}'", None)):
                self.run_sql(statement)
                begin = time.monotonic()
                wanted = [] if seen is None else [(seen,)]
                eventually(lambda: self.writer.run(f"SELECT label FROM {TARGET}.devices WHERE code = 'clock{round_}'") == wanted, statement)
                delays.append(time.monotonic() - begin)
        return delays

    def test_change_events_as_they_are(self):
        steps = self.run_all(truncates=True)
        next(steps)
        self.connect({"skipped.operations": "none", "column.propagate.source.type": ".*"}, {"truncate.enabled": "true"})
        next(steps, None)
        delays = self.delay()
        print(f"commit to visible: median {statistics.median(delays) * 1000:.0f} ms, most {max(delays) * 1000:.0f} ms", file=sys.stderr)
        self.assertLess(statistics.median(delays), 1.0)

    def test_unwrapped(self):
        steps = self.run_all(truncates=False)
        next(steps)
        self.connect(sink={"transforms": "unwrap,table", "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
                           "replace.null.with.default": "false", "millrace.debezium.types": "always"})
        next(steps, None)


if __name__ == "__main__":
    unittest.main()
