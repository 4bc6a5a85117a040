#!/usr/bin/env python3
"""Change data capture of a table of orders, with the real program and a real server; prints what it cost.

    bench/cdc.py [--rows 1000000] [--seconds 20] [--rate 1000] [--set KEY=VALUE] [--build build/release]

With schemas in the records and without: a snapshot of the table; then, with the connector stopped, as many inserts in transactions of
1000, and how fast the resumed connector catches up with the binlog. For each: rows a second, CPU seconds of the millrace process,
its log included (user, and system; MariaDB's are its own), peak RSS. A virtual machine may get its memory from the host only when it is
first touched, about ten times as dear as the copy into the page cache that it would be counted as: so this program keeps touched memory
and frees it as the log grows, which helps where nothing else takes it. Last, without schemas: the time from a transaction's COMMIT having
returned to its record at a consumer that already reads, at so many transactions of one row a second; MariaDB syncs neither its log nor
its binlog there.
"""
import argparse
import mmap
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import time

from orders import COLUMNS, ROWS, usage

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/integration"))

TABLE = f"CREATE TABLE src.orders ({COLUMNS.format(datetime='datetime')})"
TRANSACTION = 1000
TOPIC = "bench.src.orders"


class SpareMemory:
    """Touched memory that is freed a little ahead of a folder's growth, for the page cache to take."""

    CHUNK, AHEAD = 16 << 20, 256 << 20

    def __init__(self, folder, size):
        self.folder, self.freed = folder, 0
        self.begin = self.size()
        self.chunks = []
        for _ in range((size + self.AHEAD) // self.CHUNK):
            chunk = mmap.mmap(-1, self.CHUNK, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            chunk.madvise(mmap.MADV_HUGEPAGE)  # the page cache takes large pieces
            for at in range(0, self.CHUNK, mmap.PAGESIZE):
                chunk[at] = 1
            self.chunks.append(chunk)
        self.follow()

    def size(self):
        return sum(path.stat().st_size for path in self.folder.glob("*/*.log"))

    def follow(self):
        while self.chunks and self.freed < self.size() - self.begin + self.AHEAD:
            self.chunks.pop().close()
            self.freed += self.CHUNK


class Bench:
    def __init__(self, options, folder, support):
        self.options, self.folder, self.support = options, folder, support
        self.db = support.CdcServer(folder, ["--max-binlog-size=256M"]).start()
        self.worker = self.connector = self.kafka = None
        with self.db.session() as session:
            session.run("CREATE DATABASE src CHARACTER SET utf8mb4")

    def close(self):
        self.end_worker()
        self.db.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def insert(self, first, last):
        with self.db.session("src") as session:
            for begin in range(first, last + 1, TRANSACTION):
                session.run(ROWS.format(first=begin, last=min(begin + TRANSACTION - 1, last)))

    def begin_worker(self, schemas):
        """An empty log, the table with its first rows only, a connector not yet there."""
        self.end_worker()
        with self.db.session() as session:
            session.run("DROP TABLE IF EXISTS src.orders")
            session.run(TABLE)
            session.run("RESET MASTER")
        self.insert(1, self.options.rows)
        settings = {f"{part}.converter.schemas.enable": schemas for part in ("key", "value")}
        self.worker = self.support.CdcWorker(self.folder / "worker", settings=settings).start()
        self.kafka = self.worker.kafka()
        self.connector = self.worker.connector("bench")

    def end_worker(self):
        if self.kafka:
            self.kafka.close()
        if self.worker:
            self.worker.stop()
            shutil.rmtree(self.folder / "worker", ignore_errors=True)
        self.worker = self.kafka = None

    def create(self, **more):
        config = self.support.connector_config(self.db, self.worker, "bench", table_include_list="src.orders", **more)
        self.connector.create({**config, **dict(setting.split("=", 1) for setting in self.options.set)})

    def arrived(self, rows):
        known = self.connector.call("GET", "/status", expected=(200, 404)).status == 200  # not yet just after its creation
        if known and self.connector.failed():
            raise SystemExit(f"the connector failed: {self.connector.trace()}")
        return self.kafka.highs({TOPIC}).get(TOPIC, 0) >= rows

    def measured(self, what, schemas, act, rows, total):
        spare = SpareMemory(self.folder / "worker/log", rows * (6000 if schemas == "true" else 1500))
        pid, begun = self.worker.process.pid, time.monotonic()
        before = usage(pid)
        act()
        turns = 0
        while turns % 5 or not self.arrived(total):  # seldom enough not to be seen in the worker's CPU time
            time.sleep(0.02)
            spare.follow()
            turns += 1
        seconds, after = time.monotonic() - begun, usage(pid)
        user, system = ((after[i] - before[i]) * 1e6 / rows for i in (0, 1))
        print(f"{what:9} {schemas:8} {rows / seconds:12,.0f} {seconds:9.2f} {user:13.2f} {system:13.2f} {after[2]:10.1f}", flush=True)

    def throughput(self, schemas):
        rows = self.options.rows
        self.begin_worker(schemas)
        self.measured("snapshot", schemas, self.create, rows, rows)
        # What the binlog is read from is an offset of the stream, not of the snapshot.
        self.support.eventually(lambda: self.connector.offsets(), "the snapshot's offset is stored")
        self.connector.stop()
        self.worker.stop()
        self.insert(rows + 1, 2 * rows)
        self.worker.start()  # so that the peak memory of catching up is its own
        self.measured("catch-up", schemas, lambda: self.connector.call("PUT", "/resume"), rows, 2 * rows)

    def latency(self):
        self.begin_worker("false")
        self.create(snapshot_mode="no_data", poll_interval_ms="1" if self.options.eager else None)
        self.connector.wait_running()
        first, count = self.options.rows + 1, self.options.seconds * self.options.rate
        # RUNNING comes before the place to stream from is known: rows are inserted until one arrives.
        while not self.arrived(1):
            self.insert(first, first)
            first += 1
            time.sleep(0.2)
        committed = {}
        writer = threading.Thread(target=self.write, args=(first, count, committed))
        seen = {}
        self.kafka.assign([(TOPIC, 0)])
        while not (got := self.kafka.poll(0.2)) or got[0] == "end":  # a consumer's own start is not what is measured
            pass
        before = usage(self.worker.process.pid)
        writer.start()
        end = time.monotonic() + self.options.seconds * 3 + 30
        while len(seen) < count and time.monotonic() < end:
            got = self.kafka.poll(0.2)
            if got and got[0] != "end":
                at = time.monotonic()
                if (key := self.support.envelope(got.key)["id"]) >= first:
                    seen[key] = at
        writer.join()
        user, system, peak = usage(self.worker.process.pid)
        waits = sorted((seen[key] - at) * 1000 for key, at in committed.items() if key in seen)
        if len(waits) < count:
            print(f"{count - len(waits)} of {count} records did not arrive")
        at = lambda part: waits[min(len(waits) - 1, int(len(waits) * part))]
        rate = (len(committed) - 1) / (max(committed.values()) - min(committed.values()))
        print(f"commit to consumer at {rate:,.0f} transactions a second: p50 {at(0.5):.1f} ms, p99 {at(0.99):.1f} ms, p99.9 {at(0.999):.1f} ms, "
              f"most {waits[-1]:.1f} ms; {user + system - before[0] - before[1]:.2f} CPU s in {self.options.seconds} s, RSS {peak:.1f} MiB")

    def write(self, first, count, committed):
        """One row a transaction, at the rate asked for; late ones follow at once."""
        with self.db.session("src") as session:
            begun = time.monotonic()
            for i in range(count):
                pause = begun + i / self.options.rate - time.monotonic()
                if pause > 0:
                    time.sleep(pause)
                session.run(ROWS.format(first=first + i, last=first + i))
                committed[first + i] = time.monotonic()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=20, help="of the latency run")
    parser.add_argument("--rate", type=int, default=1000, help="transactions a second of the latency run")
    parser.add_argument("--eager", action="store_true", help="poll.interval.ms=1 in the latency run")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the connector, such as "
                        "producer.override.compression.type=lz4")
    parser.add_argument("--build", default="build/release")
    options = parser.parse_args()
    os.environ["MILLRACE_BUILD"] = str(pathlib.Path(options.build).resolve())
    import cdc_support

    bench = Bench(options, pathlib.Path(tempfile.mkdtemp(prefix="millrace-bench-")), cdc_support)
    try:
        print(f"{'':9} {'schemas':8} {'rows/s':>12} {'seconds':>9} {'user s/M rows':>13} {'sys s/M rows':>13} {'RSS MiB':>10}")
        for schemas in ("true", "false"):
            bench.throughput(schemas)
        bench.latency()
    finally:
        bench.close()


main()
