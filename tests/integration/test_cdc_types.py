"""Snapshot and stream give the same value and schema for every column type: the rows of a table as it was read, and the same rows inserted
into a twin while the binlog is followed (connectors/mariadb/TYPES.md)."""
import json
import unittest

from cdc_support import CdcServer, CdcWorker, connector_config
from support import ProcessTest, eventually

# name: type, values as SQL. NULL is tried of each, too.
NUMBERS = {
    "b": ("BOOL", "0", "1", "-128", "127"), "ti": ("TINYINT", "-128", "127"), "tiu": ("TINYINT UNSIGNED", "0", "255"),
    "si": ("SMALLINT", "-32768", "32767"), "siu": ("SMALLINT UNSIGNED", "65535"), "mi": ("MEDIUMINT", "-8388608", "8388607"),
    "miu": ("MEDIUMINT UNSIGNED", "16777215"), "i": ("INT", "-2147483648", "2147483647"), "iu": ("INT UNSIGNED", "4294967295"),
    "bi": ("BIGINT", "-9223372036854775808", "9223372036854775807"), "biu": ("BIGINT UNSIGNED", "0", "18446744073709551615", "9223372036854775808"),
    "f": ("FLOAT", "0", "-0.1", "1.17549e-38", "16777216"), "fmd": ("FLOAT(8,3)", "12345.678", "-0.001"), "f53": ("FLOAT(53)", "0.1", "-1e300"),
    "d": ("DOUBLE", "0.1", "1.7976931348623157e308", "5e-324"), "dmd": ("DOUBLE(12,4)", "12345678.1234"),
    "dec": ("DECIMAL(10,2)", "-99999999.99", "0.01", "0"), "dec65": ("DECIMAL(65,30)", "-12345678901234567890123456789012345.123456789012345678901234567890"),
    "decu": ("DECIMAL(5,0) UNSIGNED", "99999"), "bit1": ("BIT(1)", "b'0'", "b'1'"), "bit9": ("BIT(9)", "b'101010101'", "b'1'"),
    "bit64": ("BIT(64)", "b'1'", "0xFFFFFFFFFFFFFFFF"), "zero": ("INT(5) ZEROFILL", "7"), "y": ("YEAR", "0", "1901", "2155"),
}
TIMES = {
    "dt": ("DATE", "'1000-01-01'", "'9999-12-31'", "'1970-01-01'"), "t0": ("TIME", "'-838:59:59'", "'23:59:59'", "'00:00:00'"),
    "t3": ("TIME(3)", "'-00:00:00.001'", "'838:59:59.999'"), "t6": ("TIME(6)", "'12:34:56.123456'", "'-838:59:58.999999'"),
    "dt0": ("DATETIME", "'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'"), "dt3": ("DATETIME(3)", "'2024-02-29 12:34:56.789'"),
    "dt6": ("DATETIME(6)", "'1969-12-31 23:59:59.999999'", "'2038-01-19 03:14:08.000001'"),
    "ts0": ("TIMESTAMP NULL", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"), "ts3": ("TIMESTAMP(3) NULL", "'2024-10-27 01:30:00.001'"),
    "ts6": ("TIMESTAMP(6) NULL", "'2024-03-31 01:30:00.123456'"),
}
TEXTS = {
    "c": ("CHAR(5)", "'a'", "''", "'ä€😀'"), "v": ("VARCHAR(20)", "'it''s'", "''", "'ä€😀 '"), "cl": ("VARCHAR(9) CHARACTER SET latin1", "'äöü€'"),
    "cu2": ("VARCHAR(9) CHARACTER SET ucs2", "'ä€'"), "cj": ("VARCHAR(9) CHARACTER SET sjis", "'日本'"), "tt": ("TINYTEXT", "'x'", "''"),
    "tx": ("TEXT", "REPEAT('ä', 20000)"), "mt": ("MEDIUMTEXT", "REPEAT('m', 70000)"), "lt": ("LONGTEXT", "'{}'"),
    "js": ("JSON", "'{\"a\": [1, 2.50, null], \"ä\": \"x\"}'", "'[]'", "'1e3'"), "en": ("ENUM('a', 'b,c', 'd''e', '')", "'a'", "'b,c'", "'d''e'", "''"),
    "se": ("SET('x', 'y', 'zä')", "''", "'x,zä'", "'x,y,zä'"), "cv": ("VARCHAR(500) COMPRESSED", "REPEAT('z', 400)", "'short'", "''"),
    "ct": ("TEXT COMPRESSED", "REPEAT('ä', 5000)"),
}
BYTES = {
    "bn": ("BINARY(4)", "'a'", "x'00FF00'", "''"), "vb": ("VARBINARY(8)", "x'00FF'", "''", "x'610000'"), "bl": ("BLOB", "x'80'", "''"),
    "lb": ("LONGBLOB", "REPEAT(x'00FF', 40000)"), "cb": ("BLOB COMPRESSED", "REPEAT(x'AB', 3000)"), "uu": ("UUID", "'123e4567-e89b-12d3-a456-426655440000'"),
    "i4": ("INET4", "'10.0.0.255'"), "i6": ("INET6", "'2001:db8::1'", "'::ffff:1.2.3.4'"), "po": ("POINT", "POINT(1.5, -2)"),
    "ge": ("GEOMETRY", "ST_GeomFromText('LINESTRING(0 0,1 1)')", "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')"),
}
COLUMNS = {**NUMBERS, **TIMES, **TEXTS, **BYTES}

MODES = {
    "debezium": {},
    "plain": {"decimal_handling_mode": "string", "bigint_unsigned_handling_mode": "precise", "time_precision_mode": "connect", "binary_handling_mode": "base64"},
    "exact": {"decimal_handling_mode": "double", "time_precision_mode": "isostring", "binary_handling_mode": "hex"},
    "nanos": {"time_precision_mode": "nanoseconds", "binary_handling_mode": "base64-url-safe"},
}


class Types(ProcessTest):
    """One server; in each mode a table is read, its twin followed."""

    def rows(self):
        """Each value of each column in a row of its own, NULL in all others; and the first values of all columns."""
        for name, (_, *values) in COLUMNS.items():
            for value in values:
                yield {name: value}
        yield {name: values[0] for name, (_, *values) in COLUMNS.items()}
        yield {}

    def insert(self, session, table):
        for number, row in enumerate(self.rows(), 1):
            names = ", ".join(["id", *(f"`{name}`" for name in row)])
            session.run(f"INSERT INTO {table} ({names}) VALUES ({', '.join([str(number), *row.values()])})")

    def events(self, kafka, topic):
        return {document["payload"]["after"]["id"]: document for document in (json.loads(r.value) for r in kafka.read([topic]) if r.value)}

    def check(self, mode, metadata):
        db = CdcServer(self.folder, flags=(f"--binlog-row-metadata={metadata}",)).start()
        self.addCleanup(db.stop)
        worker = CdcWorker(self.folder / "worker", settings={
            "key.converter.schemas.enable": "true", "value.converter.schemas.enable": "true",
            "value.converter.replace.null.with.default": "false"})
        self.addCleanup(worker.stop)
        worker.start()
        kafka = worker.kafka()
        self.addCleanup(kafka.close)
        session = db.session()
        self.addCleanup(session.close)
        session.run("CREATE DATABASE types CHARACTER SET utf8mb4")
        columns = ", ".join(f"`{name}` {kind} DEFAULT NULL" if "COMPRESSED" not in kind else f"`{name}` {kind}" for name, (kind, *_) in COLUMNS.items())
        for table in ("seen", "told"):
            session.run(f"CREATE TABLE types.{table} (id INT PRIMARY KEY, {columns})")
        self.insert(session, "types.seen")
        connector = worker.connector("types")
        connector.create(connector_config(db, worker, "types", table_include_list=r"types\.(seen|told)", poll_interval_ms="20", **MODES[mode]))
        wanted = len(list(self.rows()))
        eventually(lambda: kafka.highs(["types.types.seen"]).get("types.types.seen", 0) >= wanted, "the snapshot", 60)
        self.insert(session, "types.told")
        eventually(lambda: kafka.highs(["types.types.told"]).get("types.types.told", 0) >= wanted, "the stream", 60)
        seen, told = self.events(kafka, "types.types.seen"), self.events(kafka, "types.types.told")
        self.assertEqual(wanted, len(seen))
        self.assertEqual(seen.keys(), told.keys())
        # As in Debezium, these forms of a time have no place for one below 0 or above 24 hours: null.
        lost = {"t0", "t3", "t6"} if MODES[mode].get("time_precision_mode") in ("connect", "isostring") else ()
        schema = lambda document: {f["field"]: f for f in next(f for f in document["schema"]["fields"] if f["field"] == "after")["fields"]}
        for number, row in enumerate(self.rows(), 1):
            self.assertEqual("r", seen[number]["payload"]["op"])
            self.assertEqual("c", told[number]["payload"]["op"])
            for name in COLUMNS:
                self.assertEqual(schema(seen[number])[name], schema(told[number])[name], name)
                self.assertEqual(seen[number]["payload"]["after"][name], told[number]["payload"]["after"][name], f"{name} of {row}")
                if name not in lost:
                    self.assertEqual(name in row, told[number]["payload"]["after"][name] is not None, f"{name} of {row}")
        connector.delete()


for mode in MODES:
    for metadata in ("FULL", "NO_LOG") if mode == "debezium" else ("FULL",):
        setattr(Types, f"test_{mode}_{metadata.lower()}", lambda self, mode=mode, metadata=metadata: self.check(mode, metadata))

if __name__ == "__main__":
    unittest.main()
