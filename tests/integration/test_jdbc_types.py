"""Every type of MariaDB to PostgreSQL and back by source and sink, with the tables that auto.create makes: which columns become which, and
which values change on the way. connectors/jdbc/TYPES.md has the same in one table, which must be exactly what is seen here."""
import decimal
import json
import re
import unittest

from kafka_client import Kafka
from mariadb_client import Session
from postgres_client import PASSWORD as PG_PASSWORD, USER as PG_USER, Postgres
from support import PASSWORD, ROOT, DatabaseTest, eventually, free_port

DOCUMENT = ROOT / "connectors/jdbc/TYPES.md"
HEADING = "## MariaDB to PostgreSQL and back"

# Type: values as SQL; NULL is tried of each, too. Values that a source refuses are in the tables of the sources.
TYPES = {
    "BOOL": ("0", "1"), "TINYINT": ("-128", "127"), "TINYINT UNSIGNED": ("255",), "SMALLINT": ("-32768", "32767"),
    "SMALLINT UNSIGNED": ("65535",), "MEDIUMINT": ("-8388608", "8388607"), "MEDIUMINT UNSIGNED": ("16777215",),
    "INT": ("-2147483648", "2147483647"), "INT UNSIGNED": ("4294967295",), "BIGINT": ("-9223372036854775808", "9223372036854775807"),
    "BIGINT UNSIGNED": ("9223372036854775807",), "FLOAT": ("-0.1", "1.17549e-38", "16777216"), "DOUBLE": ("0.1", "1.7976931348623157e308", "5e-324"),
    "DECIMAL(10,2)": ("-99999999.99", "0.01", "0"), "DECIMAL(65,30)": ("-12345678901234567890123456789012345.123456789012345678901234567890",),
    "DECIMAL(65,0)": ("9" * 65,), "BIT(1)": ("b'0'", "b'1'"), "BIT(8)": ("b'1111111'", "b'11111111'"), "BIT(9)": ("b'100000001'",),
    "YEAR": ("1901", "2155"), "DATE": ("'1000-01-01'", "'1970-01-01'", "'9999-12-31'"), "TIME": ("'00:00:00'", "'23:59:59'"),
    "TIME(6)": ("'12:34:56.789123'",), "DATETIME": ("'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'"), "DATETIME(3)": ("'1969-12-31 23:59:59.999'",),
    "DATETIME(6)": ("'2038-01-19 03:14:08.000001'",), "TIMESTAMP NULL": ("'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"),
    "TIMESTAMP(6) NULL": ("'2024-03-31 01:30:00.123456'",), "CHAR(5)": ("'a'", "''", "'ä€😀'"), "VARCHAR(20)": ("'it''s'", "' \\\\ \\t\\n'", "'ä€😀 '"),
    "VARCHAR(9) CHARACTER SET latin1": ("'äöü€'",), "VARCHAR(9) CHARACTER SET sjis": ("'日本'",), "TINYTEXT": ("'x'", "''"),
    "TEXT": ("REPEAT('ä', 20000)",), "MEDIUMTEXT": ("REPEAT('m', 70000)",), "LONGTEXT": ("'{}'",), "JSON": ("'{\"a\": [1, 2.50, null], \"ä\": \"x\"}'",),
    "ENUM('a', 'b,c', '')": ("'a'", "'b,c'", "''"), "SET('x', 'y')": ("''", "'x,y'"), "BINARY(4)": ("'a'", "x'00FF00'"),
    "VARBINARY(8)": ("x'00FF'", "''", "x'5C78'"), "BLOB": ("x'80'", "REPEAT(x'00FF', 512)", "REPEAT(x'00FF', 513)"), "LONGBLOB": ("''",),
    "UUID": ("'123e4567-e89b-12d3-a456-426655440000'",), "INET4": ("'10.0.0.255'",), "INET6": ("'2001:db8::1'",),
    "POINT": ("POINT(1.5, -2)",), "GEOMETRY": ("ST_GeomFromText('LINESTRING(0 0,1 1)')",),
}
COLUMNS = {f"c{i}": kind for i, kind in enumerate(TYPES)}
NUMBERS = re.compile("BOOL|.*INT|FLOAT|DOUBLE|DECIMAL|YEAR|BIT")
BINARY = re.compile("BINARY|VARBINARY|.*BLOB|POINT|GEOMETRY")


def rows():
    """(column, value): one column a row, the others NULL; the last row is all NULL."""
    return [*((name, value) for name, kind in COLUMNS.items() for value in TYPES[kind]), (None, None)]


def shown(text):
    """A value as the table shows it."""
    if text is None:
        return "refused"
    text = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    return f"`{text}`" if len(text) <= 45 else f"`{text[:8]}…` ({len(text)})"


class Types(DatabaseTest):
    def setUp(self):
        super().setUp()
        for name in ("here", "back"):
            self.db.sql(f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} CHARACTER SET utf8mb4")
        self.postgres = Postgres()
        self.addCleanup(self.postgres.stop)
        self.postgres.start()
        self.postgres.sql("CREATE DATABASE there")
        log_port = free_port()
        self.node = self.worker(settings={"log.listeners": f"PLAINTEXT://127.0.0.1:{log_port}"}).start()
        self.kafka = Kafka(f"127.0.0.1:{log_port}")
        self.addCleanup(self.kafka.close)
        self.session = Session(self.db.port, PASSWORD)
        self.addCleanup(self.session.close)
        self.session.run("SET time_zone='+00:00'")

    def maria(self, database):
        return self.db.url(database, "mariadb"), "root", PASSWORD

    def there(self):
        return self.postgres.url("there"), PG_USER, PG_PASSWORD

    def connector(self, direction, url, user, password, **more):
        return {"connector.class": f"Jdbc{direction}", "connection.url": url, "connection.user": user, "connection.password": password, **more}

    def copy(self, name, source, sink, table, rows_wanted, count, reads=(), writes=()):
        """One bulk pass by a pair of connectors, through a topic of its own."""
        self.node.must_create(f"{name}-source", self.connector(
            "Source", *source, **{"mode": "incrementing", "incrementing.column.name": "id", "topic.prefix": f"{name}-", "table.whitelist": table,
                                  "poll.interval.ms": "100", **dict(reads)}))
        self.node.must_create(f"{name}-sink", self.connector(
            "Sink", *sink, **{"topics": f"{name}-{table}", "table.name.format": "types", "auto.create": "true", "pk.mode": "record_value",
                              "pk.fields": "id", "insert.mode": "upsert", "max.retries": "0", "errors.tolerance": "all",
                              "errors.deadletterqueue.topic.name": f"{name}-dead",
                              "errors.deadletterqueue.context.headers.enable": "true", **dict(writes)}))
        arrived = lambda: count() + self.kafka.highs([f"{name}-dead"]).get(f"{name}-dead", 0)
        try:
            eventually(lambda: arrived() == rows_wanted, f"{name}: {rows_wanted} rows written or refused", 30)
        except AssertionError as late:
            traces = [part.get("trace", "") for each in ("source", "sink") for part in self.node.get(f"/connectors/{name}-{each}/status").json["tasks"]]
            raise AssertionError(f"{late}; {arrived()}\n{traces}\n{self.node.log_text()[-3000:]}") from None
        for each in ("source", "sink"):
            self.node.wait_for_states(f"{name}-{each}", ["RUNNING", "RUNNING"])

    def observed(self):
        session = self.session
        session.run(f"CREATE TABLE here.types (id INT PRIMARY KEY, {', '.join(f'{name} {kind} DEFAULT NULL' for name, kind in COLUMNS.items())})")
        for number, (name, value) in enumerate(rows(), 1):
            session.run(f"INSERT INTO here.types (id{f', {name}' if name else ''}) VALUES ({number}{f', {value}' if name else ''})")
        wanted = len(rows())
        self.copy("there", self.maria("here"), self.there(), "types", wanted, lambda: int(self.postgres.sql("SELECT count(*) FROM types", "there")))
        self.copy("back", self.there(), self.maria("back"), "types", wanted, lambda: int(session.value("SELECT count(*) FROM back.types")))
        there = self.postgres.sql("SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'types'::regclass AND attnum > 0",
                                  "there")
        back = session.run("SELECT column_name, column_type FROM information_schema.columns WHERE table_schema = 'back'")
        types = (dict(line.split("\t") for line in there.splitlines()), {name.decode(): kind.decode() for name, kind in back})
        return types, {number: self.three(session, number, name) for number, (name, _) in enumerate(rows(), 1)}

    def three(self, session, number, name):
        """A value here, there and back again; None where there is no row. Bytes as hexadecimal digits."""
        if name is None:
            found = session.run(f"SELECT * FROM back.types WHERE id = {number}")
            self.assertEqual([number, *[None] * len(COLUMNS)], [int(found[0][0]), *found[0][1:]], "all NULL stays so")
            self.assertEqual(str(number) + "\t\\N" * len(COLUMNS), self.postgres.sql(f"SELECT * FROM types WHERE id = {number}", "there"))
            return None
        kind = COLUMNS[name]
        text = f"HEX({name})" if BINARY.match(kind) else f"BIN({name})" if kind.startswith("BIT") else f"CONCAT({name})"
        here = session.value(f"SELECT {text} FROM here.types WHERE id = {number}")
        form = f"upper(encode({name}, 'hex'))" if BINARY.match(kind) else f"{name}::text"
        quoted = self.postgres.sql(f"SELECT to_json({form}) FROM types WHERE id = {number}", "there")
        there = json.loads(quoted)
        text = f"HEX({name})" if BINARY.match(kind) else f"CONCAT({name})"
        back = session.run(f"SELECT {text} FROM back.types WHERE id = {number}")
        return kind, here, there, back[0][0].decode() if back else None

    def changes(self, kind, here, there, back):
        """What the table says of a value; nothing where it is the same all the way."""
        if kind.startswith("BIT"):
            here = str(int(here, 2))

        def same(other):
            if other is None or other == here:
                return other == here
            if other in ("true", "false"):
                return here == str(int(other == "true"))
            if kind.startswith(("TIME", "DATE")):  # digits of a second that are zero say nothing
                return "." in other and other.rstrip("0").rstrip(".") == here
            if not NUMBERS.match(kind) or "-" in other[1:] and "e" not in other:  # a date of a YEAR
                return False
            if kind == "FLOAT":  # the shortest text of the same four bytes
                return abs(float(other) - float(here)) <= abs(float(here)) * 1e-6
            return float(other) == float(here) if kind == "DOUBLE" else decimal.Decimal(other) == decimal.Decimal(here)
        if same(there) and same(back):
            return None
        return f"{shown(here)} → {shown(there)}" + ("" if back == there else f" → {shown(back)}")

    def test_the_table_is_what_happens(self):
        (there, back), values = self.observed()
        lines = []
        for name, kind in COLUMNS.items():
            changed = [self.changes(*value) for value in values.values() if value and value[0] == kind]
            lines.append(f"| {kind} | {there[name].upper()} | {back[name].upper()} | {', '.join(filter(None, changed))} |")
        document = DOCUMENT.read_text()
        self.assertIn(HEADING, document, "\n".join(lines))
        table = [line for line in document.split(HEADING)[1].split("\n## ")[0].splitlines() if line.startswith("| ")][1:]
        self.assertEqual("\n".join(table), "\n".join(lines), "the table should be\n" + "\n".join(lines))

    def test_microseconds_are_kept_when_they_are_asked_for(self):
        self.session.run("CREATE TABLE here.types (id INT PRIMARY KEY, at DATETIME(6))")
        self.session.run("INSERT INTO here.types VALUES (1, '2038-01-19 03:14:08.000001'), (2, NULL), (3, '1969-12-31 23:59:59.999999')")
        micros, fields = {"timestamp.granularity": "micros_long"}, {"timestamp.fields.list": "at"}
        self.copy("there", self.maria("here"), self.there(), "types", 3, lambda: int(self.postgres.sql("SELECT count(*) FROM types", "there")), micros, fields)
        self.copy("back", self.there(), self.maria("back"), "types", 3, lambda: int(self.session.value("SELECT count(*) FROM back.types")), micros, fields)
        self.assertEqual(self.session.run("SELECT * FROM here.types ORDER BY id"), self.session.run("SELECT * FROM back.types ORDER BY id"))


if __name__ == "__main__":
    decimal.getcontext().prec = 200
    unittest.main()
