#!/usr/bin/env python3
"""What a JDBC source with many tables costs when nothing happens, and how long it takes to start.

    bench/jdbc_many_tables.py [--tables 2000] [--idle 30] [--build build/release] [--program FILE] [--only mariadb|postgresql]

One connector and one task for all tables, each with one row; poll.interval.ms=5000. Prints, for both databases and both
modes with an incrementing column: seconds from the POST until the rows of all tables are in the log with their offsets,
the CPU that millrace uses while idle as a percentage of one core, the database's own for comparison, seconds from an INSERT to
its record (at most about the poll interval and the offset flush), and peak RSS.
With --endless instead: peak RSS while a result of 100 million rows is read for the idle seconds.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/integration"))
import support

PG = pathlib.Path("/usr/lib/postgresql/15/bin")


class Postgres:
    """A private server; root may not run one, so that it belongs to the user postgres then."""

    scheme = "postgresql"

    def __init__(self, folder):
        self.data, self.port = pathlib.Path(folder) / "pg", support.free_port()
        self.data.mkdir()
        self.user = []
        if os.getuid() == 0:
            self.user = ["runuser", "-u", "postgres", "--"]
            shutil.chown(self.data, "postgres")
            pathlib.Path(folder).chmod(0o755)

    def start(self):
        subprocess.run([*self.user, PG / "initdb", "-D", self.data, "-U", "tester", "-A", "trust", "-E", "UTF8"], check=True,
                       stdout=subprocess.DEVNULL, cwd="/")
        self.process = subprocess.Popen([*self.user, PG / "postgres", "-D", self.data, "-p", str(self.port), "-k", self.data, "-c", "fsync=off",
                                         "-c", "max_locks_per_transaction=1024"], cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        support.eventually(lambda: self.sql("SELECT 1") == "1", "PostgreSQL answers")
        self.sql("CREATE DATABASE many")
        return self

    def sql(self, text, database="postgres"):
        out = subprocess.run(["psql", "-qAtX", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tester", "-d", database, "-v", "ON_ERROR_STOP=1"],
                             input=text, capture_output=True, text=True)
        if out.returncode:
            raise RuntimeError(out.stderr)
        return out.stdout.strip()

    def connection(self):
        return {"connection.url": f"jdbc:postgresql://127.0.0.1:{self.port}/many", "connection.user": "tester"}

    def pid(self):
        return int((self.data / "postmaster.pid").read_text().split()[0])

    endless = "SELECT generate_series(1, 100000000) AS id, repeat('x', 60) AS filler"  # in FROM the server would collect it first

    def stop(self):
        os.kill(self.pid(), 2)  # fast shutdown; the worker is gone
        self.process.wait(60)


class MariaDb:
    scheme = "mariadb"

    def __init__(self, folder):
        self.server = support.MariaDb(folder, ["--table-open-cache=4000", "--default-storage-engine=MyISAM", "--sync-frm=OFF"])

    def start(self):
        self.server.start()
        self.server.sql("CREATE DATABASE many")
        return self

    def sql(self, text, database=None):
        return self.server.sql(text, database)

    def connection(self):
        return {"connection.url": self.server.url("many", "mariadb"), "connection.user": "root", "connection.password": support.PASSWORD}

    def pid(self):
        return int((self.server.folder / "mariadbd.pid").read_text())

    endless = "SELECT seq AS id, repeat('x', 60) AS filler FROM seq_1_to_100000000"

    def stop(self):
        self.server.stop()


def cpu_seconds(pid):
    """Of the process and, for a server that forks, of its children that live."""
    total = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            name, fields = int(stat.parent.name), stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if name == pid or int(fields[1]) == pid:
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def memory(pid, what):
    return next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(what)) / 1024


def offsets(worker):
    answer = worker.get("/connectors/many/offsets").json
    return {each["partition"]["table"].rsplit(".", 1)[1]: each["offset"] for each in answer.get("offsets", [])}


def measure(database, mode, options, folder):
    worker = support.Worker(tempfile.mkdtemp(dir=folder), program=options.program, settings={"offset.flush.interval.ms": "500"}).start()
    try:
        begun = time.monotonic()
        worker.must_create("many", {
            "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", **database.connection(), "mode": mode,
            "incrementing.column.name": "id", "timestamp.column.name": "at" if "timestamp" in mode else "", "table.whitelist":
            ",".join(f"t{i}" for i in range(options.tables)), "topic.prefix": "m_", "tasks.max": "1", "poll.interval.ms": "5000",
            **({} if options.topics else {"transforms": "one", "transforms.one.type": "org.apache.kafka.connect.transforms.RegexRouter",
                                         "transforms.one.regex": ".*", "transforms.one.replacement": "all"})})
        support.eventually(lambda: len(offsets(worker)) == options.tables, "all tables were read", 300)
        started = time.monotonic() - begun
        time.sleep(6)  # what the start left to do is no part of being idle
        before, server = cpu_seconds(worker.process.pid), cpu_seconds(database.pid())
        time.sleep(options.idle)
        idle = (cpu_seconds(worker.process.pid) - before) / options.idle * 100
        server = (cpu_seconds(database.pid()) - server) / options.idle * 100
        begun = time.monotonic()
        database.sql("INSERT INTO t7(id, at) VALUES (2, '2026-01-02 00:00:00')", "many")
        support.eventually(lambda: offsets(worker)["t7"]["incrementing"] == 2, "a change arrives", 60)
        print(f"{database.scheme:11} {mode:24} {started:8.1f} {idle:8.2f} {server:10.1f} {time.monotonic() - begun:9.1f} "
              f"{memory(worker.process.pid, 'VmHWM'):9.1f}", flush=True)
        database.sql("DELETE FROM t7 WHERE id=2", "many")
    finally:
        worker.stop()


def endless(database, options, folder):
    # The log keeps little: it is the source that is measured, not the disk.
    worker = support.Worker(tempfile.mkdtemp(dir=folder), program=options.program).start()
    try:
        for mode, more in (("bulk", {"query": database.endless}),
                           ("incrementing", {"query": f"SELECT * FROM ({database.endless}) big", "incrementing.column.name": "id"})):
            if mode == "incrementing" and options.no_sort:
                continue
            base = memory(worker.process.pid, "VmRSS")
            worker.must_create(mode, {
                "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector", **database.connection(), "mode": mode, "topic.prefix": mode,
                "tasks.max": "1", "transforms": "drop", "transforms.drop.type": "org.apache.kafka.connect.transforms.Filter", **more})
            time.sleep(options.idle)
            polled = [line.split()[-1] for line in worker.get("/metrics").text.splitlines() if "poll_total" in line and not line.startswith("#")]
            print(f"{database.scheme:11} {mode:24} rows {polled} RSS before {base:.1f} MiB, peak {memory(worker.process.pid, 'VmHWM'):.1f} MiB, "
                  f"states {worker.states(mode)}", flush=True)
            worker.request("DELETE", f"/connectors/{mode}")
    finally:
        worker.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=2000)
    parser.add_argument("--idle", type=float, default=30)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--program")
    parser.add_argument("--only")
    parser.add_argument("--topics", action="store_true", help="a topic for each table, whose creation then counts as well; else one for all")
    parser.add_argument("--endless", action="store_true")
    parser.add_argument("--no-sort", action="store_true", help="with --endless: bulk mode only, because the incrementing one sorts first")
    options = parser.parse_args()
    options.program = pathlib.Path(options.program or pathlib.Path(options.build) / "bin/millrace").resolve()
    # Creating thousands of tables syncs as often; what is measured does not.
    folder = tempfile.mkdtemp(prefix="millrace-bench-", dir="/dev/shm" if options.tables > 100 and os.path.isdir("/dev/shm") else None)
    if not options.endless:
        print(f"{'':36} {'start s':>8} {'idle %':>8} {'server %':>10} {'change s':>9} {'RSS MiB':>9}")
    try:
        for kind in (MariaDb, Postgres):
            if options.only not in (None, kind.scheme):
                continue
            database = kind(tempfile.mkdtemp(dir=folder) if kind is MariaDb else folder).start()
            try:
                if options.endless:
                    endless(database, options, folder)
                    continue
                database.sql("".join(f"CREATE TABLE t{i} (id int PRIMARY KEY, name varchar(50), at timestamp NOT NULL); INSERT INTO t{i} VALUES (1, 'n', '2026-01-01 00:00:00');\n"
                                     for i in range(options.tables)), "many")
                for mode in ("incrementing", "timestamp+incrementing"):
                    measure(database, mode, options, folder)
            finally:
                database.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
