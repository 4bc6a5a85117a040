#!/usr/bin/env python3
"""The JDBC source and sink with the real program and a real server, and the server's own limit beside them.

    bench/jdbc.py [--rows 500000] [--servers mariadb,postgresql] [--only TEXT,TEXT] [--build build/release]

For each server: its table of orders written to a file by the server and a file loaded into a table by its client (LOAD DATA LOCAL, COPY); the
source (bulk and incrementing, with schemas in the records and without); the sink (insert, upsert of new rows and of rows that exist, the
same with Debezium's change events, delete). For each: rows a second, the part of the server's own rate that this is, user and system CPU
seconds of the millrace process, its log included (the server's are its own), rows a CPU second, peak RSS. Sinks fill a table that exists,
with its primary key, and its contents are compared with the source's. Last, for MariaDB: both at once, and how long after exec GET / is
answered, the median of 20 starts. --only: those runs whose name holds one of these texts.
"""
import argparse
import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from orders import COLUMNS, ROWS, SERIES, usage

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/integration"))

KEY_SCHEMA = '{"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"}],"optional":false,"name":"k.Key"},"payload":{"id":%d}}'
ROW_FIELDS = ('{"type":"int64","optional":false,"field":"id"},{"type":"string","optional":true,"field":"user_id"},'
              '{"type":"string","optional":true,"field":"product_id"},{"type":"string","optional":true,"field":"order_id"},'
              '{"type":"int32","optional":true,"field":"qty"},'
              '{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"},"field":"unit_price"},'
              '{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"},"field":"total_price"},'
              '{"type":"int64","optional":true,"name":"io.debezium.time.Timestamp","version":1,"field":"created_at"}')
EVENT = ('{"schema":{"type":"struct","fields":[{"type":"struct","fields":[' + ROW_FIELDS + '],"optional":true,"name":"k.Value","field":"before"},'
         '{"type":"struct","fields":[' + ROW_FIELDS + '],"optional":true,"name":"k.Value","field":"after"},'
         '{"type":"struct","fields":[{"type":"string","optional":false,"field":"db"},{"type":"string","optional":false,"field":"table"}],'
         '"optional":false,"name":"io.debezium.connector.mysql.Source","field":"source"},'
         '{"type":"string","optional":false,"field":"op"},{"type":"int64","optional":true,"field":"ts_ms"}],"optional":false,"name":"k.Envelope"},'
         '"payload":{"before":null,"after":{"id":%d,"user_id":"user-%d","product_id":"product-%d-with-a-name-of-usual-length",'
         '"order_id":"aaaaaaaa-bbbb-cccc-dddd-%012d","qty":%d,"unit_price":"BNI=","total_price":"AYag","created_at":%d},'
         '"source":{"db":"src","table":"orders"},"op":"c","ts_ms":1767225600000}}')


class MariaDb:
    name = "mariadb"

    def __init__(self, folder, support):
        self.folder, self.server, self.password = folder, support.MariaDb(folder, ["--local-infile=1", "--secure-file-priv="]).start(), support.PASSWORD
        self.user = "root"
        self.server.sql("CREATE DATABASE src CHARACTER SET utf8mb4; CREATE DATABASE dst CHARACTER SET utf8mb4")

    def stop(self):
        self.server.stop()

    def url(self, database):
        return self.server.url(database, "mariadb")

    def sql(self, statements, database):
        return self.server.sql(statements, database)

    def create(self, database, table):
        self.sql(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({COLUMNS.format(datetime='datetime')})", database)

    def fill(self, rows):
        self.sql(ROWS.format(first=1, last=rows), "src")

    def unload(self, path):
        self.sql(f"SELECT * FROM orders INTO OUTFILE '{path}'", "src")

    def load(self, path, table):
        subprocess.run(["mariadb", "--no-defaults", f"--socket={self.server.folder}/socket", "-uroot", f"-p{self.password}", "--local-infile=1",
                        "dst", "-e", f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE {table}"], check=True)

    def rest(self):
        """Nothing of an earlier run is left to be written."""
        self.sql("FLUSH TABLES", "dst")

    def difference(self, table):
        return self.sql(f"SELECT count(*) FROM (SELECT * FROM src.orders EXCEPT SELECT * FROM dst.{table}) d", "dst")


class PostgreSql:
    name = "postgresql"

    def __init__(self, folder, support):
        self.folder, self.port, self.user, self.password = folder / "postgres", support.free_port(), "postgres", support.PASSWORD
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
        self.programs = pathlib.Path(found[-1] if found else os.path.dirname(shutil.which("postgres")))
        self.folder.mkdir()
        self.owner = {}
        if os.getuid() == 0:  # the server refuses to run as root
            owner = pwd.getpwnam("postgres")
            self.owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            folder.chmod(0o755)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        self.run([self.programs / "initdb", "-D", self.folder / "data", "-U", self.user, f"--pwfile={secret}", "-A", "scram-sha-256", "-E", "UTF8",
                  "--locale=C.UTF-8"])
        self.process = subprocess.Popen([self.programs / "postgres", "-D", self.folder / "data", "-p", str(self.port), "-k", self.folder, "-h", "127.0.0.1",
                                         "-c", "shared_buffers=256MB", "-c", "max_wal_size=2GB", *os.environ.get("PG_FLAGS","").split()],
                                        stdout=open(self.folder / "log", "wb"), stderr=subprocess.STDOUT, cwd="/", **self.owner)
        support.eventually(lambda: self.sql("SELECT 1", "postgres") == "1", "PostgreSQL answers")
        # One database with a schema each, so that the tables can be compared.
        self.sql("CREATE DATABASE src", "postgres")

    def run(self, command):
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", **self.owner)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    def stop(self):
        self.process.terminate()
        self.process.send_signal(2)  # SIGINT: not waiting for sessions
        self.process.wait(60)

    def url(self, database):
        return f"jdbc:postgresql://127.0.0.1:{self.port}/src"

    def sql(self, statements, database):
        done = subprocess.run(["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", self.user, "-d", database if database == "postgres" else "src", "-XAtq",
                               "-v", "ON_ERROR_STOP=1"], input=statements, capture_output=True, text=True, env={**os.environ, "PGPASSWORD": self.password})
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return done.stdout.strip()

    def create(self, database, table):
        self.sql(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({COLUMNS.format(datetime='timestamp')})", database)

    def fill(self, rows):
        self.sql(SERIES.format(first=1, last=rows), "src")

    def unload(self, path):
        self.sql(f"COPY orders TO '{path}'", "src")

    def load(self, path, table):
        self.sql(f"\\copy {table} from '{path}'", "src")

    def rest(self):
        self.sql("CHECKPOINT", "src")

    def difference(self, table):
        return self.sql(f"SELECT count(*) FROM (SELECT * FROM orders EXCEPT SELECT * FROM {table}) d", "src")


class Bench:
    def __init__(self, options, folder, support, server, worker_class):
        self.options, self.support, self.folder, self.server, self.worker_class = options, support, folder, server, worker_class
        self.worker = None
        self.kafka = None
        self.limits = {}

    def close(self):
        self.end_worker()
        self.server.stop()

    def wanted(self, name):
        return not self.options.only or any(part in f"{self.server.name} {name}" for part in self.options.only.split(","))

    def begin_worker(self, schemas="true"):
        """Each run its own process, so that the peak memory is its own; the log stays."""
        self.end_worker()
        settings = {"key.converter.schemas.enable": "true", "value.converter.schemas.enable": schemas}
        self.worker = self.worker_class(self.folder / "worker", mode="standalone", settings=settings).start()
        self.kafka = self.worker.kafka()

    def end_worker(self):
        if self.kafka:
            self.kafka.close()
        if self.worker:
            self.worker.stop()
        self.worker = self.kafka = None

    def line(self, what, rows, seconds, limit=None, used=None):
        rate = rows / seconds
        part = f"{100 * rate / self.limits[limit]:6.0f} %" if limit else " " * 8
        cpu = f"{used[0] * 1e6 / rows:8.2f} {used[1] * 1e6 / rows:8.2f} {rows / max(sum(used[:2]), 0.01):12,.0f} {used[2]:8.1f}" if used else ""
        print(f"{self.server.name:10} {what:28} {rate:12,.0f} {part} {cpu}", flush=True)

    def limit(self, what, act):
        begun = time.monotonic()
        act()
        seconds = time.monotonic() - begun
        self.limits[what] = max(self.options.rows / seconds, self.limits.get(what, 0))
        self.line(f"limit: {what}", self.options.rows, seconds)

    def measured(self, what, name, config, done, limit):
        pid, begun = self.worker.process.pid, time.monotonic()
        before = usage(pid)
        self.worker.must_create(name, config)

        def look():
            states = self.worker.states(name) if self.worker.get(f"/connectors/{name}/status").status == 200 else []
            if "FAILED" in states:
                raise SystemExit(f"{name} failed: {self.worker.failed_trace(name)}\n{self.worker.log_text()[-2000:]}")
            return done()

        while not look():
            time.sleep(0.05)  # seldom enough not to be seen in the worker's CPU time
        seconds, after = time.monotonic() - begun, usage(pid)
        self.line(what, self.options.rows, seconds, limit, (after[0] - before[0], after[1] - before[1], after[2]))
        self.worker.request("DELETE", f"/connectors/{name}")

    def source(self, mode, schemas, keep=False):
        what = f"source {mode}, {'schemas' if schemas == 'true' else 'no schemas'}"
        if not self.wanted(what) and not keep:
            return
        prefix = f"{mode}-{schemas}-"
        self.begin_worker(schemas)
        config = {"connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", "connection.url": self.server.url("src"),
                  "connection.user": self.server.user, "connection.password": self.server.password, "mode": mode, "table.whitelist": "orders",
                  "topic.prefix": prefix, "tasks.max": "1", "poll.interval.ms": "3600000" if mode == "bulk" else "1000",
                  "batch.max.rows": self.options.batch}
        if mode == "incrementing":
            config["incrementing.column.name"] = "id"
        topic = prefix + "orders"
        self.measured(what, f"source-{mode}-{schemas}", config, lambda: self.kafka.highs({topic}).get(topic, 0) >= self.options.rows, "unload")
        if not keep:
            self.kafka.close()
            self.kafka = None
            self.worker.stop()
            shutil.rmtree(self.folder / "worker/log" / f"{topic}-0", ignore_errors=True)

    def sink(self, what, topic, table, compare=False, **more):
        if not self.wanted(what):
            return
        self.begin_worker()
        self.server.rest()
        name = "sink-" + what.replace(" ", "-").replace(",", "")
        config = {"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "connection.url": self.server.url("dst"),
                  "connection.user": self.server.user, "connection.password": self.server.password, "tasks.max": "1", "topics": topic,
                  "table.name.format": table, **more, **dict(each.split("=", 1) for each in self.options.sink)}

        def done():
            answer = self.worker.get(f"/connectors/{name}/offsets")
            offsets = answer.json.get("offsets") if answer.status == 200 else None
            return offsets and offsets[0]["offset"].get("kafka_offset", 0) >= self.options.rows

        self.measured(what, name, config, done, "load")
        if compare and (different := self.server.difference(table)) != "0":
            raise SystemExit(f"{what}: {different} rows differ")

    def produce(self, topic, record):
        if topic not in self.kafka.topics():
            self.kafka.produce_all(topic, (record(n) for n in range(1, self.options.rows + 1)))

    def run(self):
        rows, server = self.options.rows, self.server
        server.create("src", "orders")
        server.fill(rows)
        path = server.folder / "orders.txt"
        self.limit("unload", lambda: server.unload(path))
        for _ in range(2):
            server.create("dst", "loaded")
            server.rest()
            self.limit("load", lambda: server.load(path, "loaded"))
        server.sql("DROP TABLE loaded", "dst")
        path.unlink()
        for mode in ("bulk", "incrementing"):
            for schemas in ("false", "true"):
                self.source(mode, schemas, keep=(mode, schemas) == ("incrementing", "true"))
        topic, key = "incrementing-true-orders", {"pk.mode": "record_value", "pk.fields": "id"}
        server.create("dst", "inserted")
        self.sink("sink insert", topic, "inserted", compare=True, **{"insert.mode": "insert", **key})
        server.create("dst", "upserted")
        self.sink("sink upsert, new rows", topic, "upserted", compare=True, **{"insert.mode": "upsert", **key})
        self.sink("sink upsert, rows there", topic, "upserted", compare=True, **{"insert.mode": "upsert", **key})
        key = {"pk.mode": "record_key", "insert.mode": "upsert", "delete.enabled": "true"}
        server.create("dst", "events")
        if self.wanted("sink events"):
            self.begin_worker()
            self.produce("events", lambda n: (KEY_SCHEMA % n, EVENT % (n, n % 50000, n % 1000, n, n % 9, 1767225600000 + n * 37000)))
        self.sink("sink events, new rows", "events", "events", **key)
        self.sink("sink events, rows there", "events", "events", **key)
        if self.wanted("sink delete"):
            self.begin_worker()
            self.produce("deletes", lambda n: (KEY_SCHEMA % n, None))
        self.sink("sink delete", "deletes", "inserted", **key)
        if self.wanted("sink delete") and self.wanted("sink insert") and (left := server.sql("SELECT count(*) FROM inserted", "dst")) != "0":
            raise SystemExit(f"sink delete: {left} rows are left")


def starts(folder, support):
    """Milliseconds from exec to the first answer of GET /."""
    took = []
    for _ in range(20):
        one = support.Worker(pathlib.Path(tempfile.mkdtemp(dir=folder)))
        begun = time.monotonic()
        one.launch()
        while True:
            with contextlib.suppress(OSError):
                if one.get("/").status == 200:
                    break
            time.sleep(0.001)
        took.append((time.monotonic() - begun) * 1000)
        one.stop()
    print(f"GET / answered {statistics.median(took):.0f} ms after the start (median of 20; slowest {max(took):.0f} ms)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--servers", default="mariadb,postgresql")
    parser.add_argument("--batch", default="1000", help="batch.max.rows of the source")
    parser.add_argument("--sink", action="append", default=[], metavar="NAME=VALUE", help="a setting of the sinks")
    parser.add_argument("--only", default="")
    parser.add_argument("--build", default="build/release")
    options = parser.parse_args()
    os.environ["MILLRACE_BUILD"] = str(pathlib.Path(options.build).resolve())
    import cdc_support
    import support

    print(f"{'server':10} {'':28} {'rows/s':>12} {'of limit':>8} {'user s/M':>8} {'sys s/M':>8} {'rows/CPU s':>12} {'RSS MiB':>8}")
    for server in (MariaDb, PostgreSql):
        if server.name not in options.servers.split(","):
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-bench-"))
        bench = Bench(options, folder, support, server(folder, support), cdc_support.CdcWorker)
        try:
            bench.run()
            if server is MariaDb and not options.only:
                starts(folder, support)
        finally:
            bench.close()
            shutil.rmtree(folder, ignore_errors=True)


main()
