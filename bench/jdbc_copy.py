#!/usr/bin/env python3
"""Copies a table of orders MariaDB → log → MariaDB with the real program and prints what it cost.

    bench/jdbc_copy.py [--rows 1000000] [--build build/release]

Three runs: the source alone (table to topic), the sink alone (topic to table), and both at once. For each: rows a second,
CPU seconds of the millrace process (user + system, its log included; MariaDB's are its own), and peak RSS.
Also prints how long after exec GET / is answered, the median of 20 starts.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/integration"))

TABLE = ("CREATE TABLE {0}.orders (id bigint primary key, user_id varchar(50), product_id varchar(120), order_id varchar(50), qty int, "
         "unit_price decimal(12,2), total_price decimal(14,2), created_at datetime(3))")
ROWS = ("INSERT INTO orders SELECT seq, concat('user-', seq % 50000), concat('product-', seq % 1000, '-with-a-name-of-usual-length'), uuid(), "
        "1 + seq % 9, 1 + (seq % 10000) / 100, (1 + seq % 9) * (1 + (seq % 10000) / 100), "
        "'2026-01-01' + INTERVAL seq * 37 SECOND + INTERVAL seq % 1000 * 1000 MICROSECOND FROM seq_1_to_{rows}")


def usage(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return cpu, peak / 1024


def report(what, rows, seconds, pid, cpu_before):
    cpu, peak = usage(pid)
    print(f"{what:8} {rows / seconds:12,.0f} {seconds:9.2f} {cpu - cpu_before:9.2f} {(cpu - cpu_before) * 1e6 / rows:14.2f} {peak:10.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--build", default="build/release")
    options = parser.parse_args()
    os.environ["MILLRACE_BUILD"] = str(pathlib.Path(options.build).resolve())
    import support

    folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-bench-"))
    db = support.MariaDb(folder).start()
    worker = None

    class Configs(support.DatabaseTest):
        pass

    Configs.db = db
    configs = Configs()
    try:
        db.sql("CREATE DATABASE src CHARACTER SET utf8mb4; CREATE DATABASE dst CHARACTER SET utf8mb4")
        db.sql(TABLE.format("src"))
        db.sql(ROWS.format(rows=options.rows), "src")
        upsert = {"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}

        def source_config():
            return configs.source("src", "orders", **{"batch.max.rows": "1000"})

        def done(name, key):
            offsets = worker.get(f"/connectors/{name}/offsets").json["offsets"]
            return bool(offsets) and offsets[0]["offset"].get(key, 0) >= options.rows

        def run(what, names):
            pid, begun = worker.process.pid, time.monotonic()
            cpu = usage(pid)[0]
            for name, config, key in names:
                worker.must_create(name, config)
            for name, config, key in names:
                support.eventually(lambda n=name, k=key: done(n, k), f"{name} is done", 900)
            report(what, options.rows, time.monotonic() - begun, pid, cpu)

        print(f"{'':8} {'rows/s':>12} {'seconds':>9} {'CPU s':>9} {'CPU s/M rows':>14} {'RSS MiB':>10}")
        worker = support.Worker(folder).start()
        run("source", [("source", source_config(), "incrementing")])
        worker.stop()
        worker.start()  # so that the sink's peak memory is its own
        worker.request("DELETE", "/connectors/source")
        sink = configs.sink("dst", "my_topic_orders", **upsert)
        run("sink", [("sink", sink, "kafka_offset")])
        worker.stop()
        assert db.sql("SELECT count(*) FROM dst.my_topic_orders") == str(options.rows)
        assert db.sql("SELECT count(*) FROM (SELECT * FROM src.orders EXCEPT SELECT * FROM dst.my_topic_orders) d") == "0"

        shutil.rmtree(folder / "log")
        db.sql("DROP TABLE dst.my_topic_orders")
        worker = support.Worker(folder).start()
        run("both", [("source", source_config(), "incrementing"), ("sink", sink, "kafka_offset")])
        worker.stop()

        starts = []
        for _ in range(20):
            empty = pathlib.Path(tempfile.mkdtemp(dir=folder))
            one = support.Worker(empty)
            begun = time.monotonic()
            one.launch()
            while True:
                try:
                    if one.get("/").status == 200:
                        break
                except OSError:
                    time.sleep(0.001)
            starts.append((time.monotonic() - begun) * 1000)
            one.stop()
        print(f"GET / answered {statistics.median(starts):.0f} ms after the start (median of 20; slowest {max(starts):.0f} ms)")
    finally:
        if worker:
            worker.stop()
        db.stop()
        shutil.rmtree(folder, ignore_errors=True)


main()
