#!/usr/bin/env python3
"""golden.debezium-mariadb: runs the recorded cases against a private MariaDB and a worker, and compares what comes out.

    test_golden_cdc.py [case-prefix …] [--list] [--keep DIR] [--positions] [--jobs N] [--lines N] [--report FILE] [--verbose]
                       [--sql-only]

Each case: the server's binlog is reset, setup.sql, the connector, the snapshot's records, changes.sql with its directives; then the
topics, the stored offsets at each marker and the task's state are compared with the recording. Listed known differences are allowed.
"""
import argparse
import json
import pathlib
import queue
import shutil
import sys
import tempfile
import threading
import time
import traceback

import cdc_validation
from cdc_recording import MISSING, NOT_RUN, Case, Comparer, KnownDifferences, Sql, golden_root, write_recording
from cdc_support import CdcServer, CdcWorker, settled
from mariadb_client import SqlError
from support import PASSWORD, eventually

# What is recorded may never come where we differ: a case waits this long for a marker, and less once one was missed.
MARKER_S, MISSED_S, OFFSETS_S, STATE_S = 10, 2, 1.5, 3
QUIET_S, LAST_QUIET_S = 0.4, 0.15


class Lane:
    """A server and a worker that run one case after the other."""

    def __init__(self, folder, flags=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.db = CdcServer(self.folder, flags).start()
        self.worker = self.kafka = None

    def start_worker(self, mode="distributed", settings=None):
        self.worker = CdcWorker(self.folder / "worker", mode, settings).start()
        self.kafka = self.worker.kafka()
        return self

    def stop(self):
        try:
            if self.kafka:
                self.kafka.close()
            if self.worker:
                self.worker.stop()
        finally:
            self.db.stop()


def reset(db, settings):
    """Nothing on the server but itself; returns the statements that take the settings back."""
    with db.session() as session:
        for (name,) in session.run("SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'gold\\_%'"):
            session.run(b"DROP DATABASE `%s`" % name)
        # A connector that is gone may still have a thread here for a moment.
        eventually(lambda: not session.run("SELECT 1 FROM information_schema.processlist WHERE command = 'Binlog Dump'"),
                   "nobody reads the binlog", 10)
        session.run("RESET MASTER")
        back = []
        for name, value in settings.items():
            back.append(f"SET GLOBAL {name} = {literal(session.value(f'SELECT @@GLOBAL.{name}'))}")
            session.run(f"SET GLOBAL {name} = {value}")
    return back


def literal(value):
    return value if value.isdigit() else f"'{value}'"


def run_sql(session, step):
    try:
        session.run(step.statement)
    except SqlError:
        if not step.tolerated:
            raise


class CaseRun:
    """One case on one lane."""

    def __init__(self, case, lane, folder, comparer, values):
        self.case, self.lane, self.folder, self.comparer = case, lane, folder, comparer
        self.name, self.config = case.connector({"HOST": "127.0.0.1", "PORT": lane.db.port, "USER": "root", "PASSWORD": PASSWORD,
                                                 "KAFKA": lane.worker.bootstrap, **values})
        self.prefix = self.config["topic.prefix"]
        self.marks, self.recorded_offsets = case.marks(), case.offsets()
        self.problems, self.drains, self.patience = [], 0, MARKER_S
        self.connector = lane.worker.connector(self.name)
        self.before = set(lane.kafka.topics())

    def run(self):
        back = reset(self.lane.db, self.case.globals)
        try:
            with self.lane.db.session() as session:
                for step in self.case.steps("setup.sql"):
                    run_sql(session, step)
            if "signal.kafka.topic" in self.config:
                self.lane.worker.topic_tool("--create", "--topic", self.config["signal.kafka.topic"], "--partitions", "1")
            self.connector.create(self.config)
            self.connector.wait_running(MARKER_S)
            self.mark("after-snapshot")
            with self.lane.db.session() as session:
                for step in self.case.steps("changes.sql"):
                    run_sql(session, step) if isinstance(step, Sql) else self.directive(step)
            self.finish()
        finally:
            self.connector.delete()
            with self.lane.db.session() as session:
                for statement in back:
                    session.run(statement)
        return self.problems

    def directive(self, step):
        simple = {"stop": self.connector.stop, "resume": self.connector.resume, "pause": self.connector.pause, "restart": self.connector.restart}
        if step.name in simple:
            simple[step.name](MARKER_S)
        elif step.name == "drain":
            self.drains += 1
            self.mark(f"drain-{self.drains}")
        elif step.name == "sleep":  # time for things to happen: they have when nothing happens any more
            settled(self.watermarks, QUIET_S, float(step.argument))
            if self.case.purges:  # the server lets go of a binlog file only when InnoDB's next flush is over, once a second
                time.sleep(1)
        elif step.name == "config":
            self.connector.merge(json.loads(step.argument))
        elif step.name == "signal":
            key, _, value = step.argument.partition(" ")
            self.lane.kafka.produce(self.config["signal.kafka.topic"], key.encode(), value.encode())
        elif step.name == "deltopic":
            self.lane.worker.topic_tool("--delete", "--topic", step.argument)
        else:
            raise ValueError(f"@{step.name}: no such directive")

    def watermarks(self):
        return self.lane.kafka.highs(self.topics())

    def topics(self):
        """Those that came with this case."""
        return {name for name in self.lane.kafka.topics() if name not in self.before and not name.startswith(("connect-", "__consumer", "__transaction"))}

    def reached(self, wanted):
        # How many heartbeats there are is a matter of time.
        wanted = {name: min(high, 1) if "heartbeat" in name else high for name, high in wanted.items()}
        highs = self.lane.kafka.highs(wanted)
        return all(highs.get(name, 0) >= high for name, high in wanted.items())

    def mark(self, at):
        """Waits for what the recording has at this marker; what is missing shows in the records."""
        wanted = self.marks.get(at, {})
        if at not in self.marks and at == "after-snapshot":
            eventually(lambda: self.connector.phase() != "snapshot" or self.connector.failed(), at, self.patience)
        try:
            eventually(lambda: self.reached(wanted) or self.connector.failed(), at, self.patience)
        except AssertionError:
            highs = self.lane.kafka.highs(wanted)
            self.problems.append(f"{at}: after {self.patience} s {MISSING}: " + ", ".join(
                f"{name} has {highs.get(name, 0)} of {high}" for name, high in wanted.items() if highs.get(name, 0) < high))
            self.patience = min(self.patience, MISSED_S)
        self.check_offsets(at)

    def check_offsets(self, at):
        recorded = self.recorded_offsets.get(at)
        if recorded is None:
            return
        lines = lambda: self.comparer.offsets(recorded, self.connector.offsets(), f"offsets at {at}")
        end = time.monotonic() + OFFSETS_S
        while found := lines():
            if time.monotonic() > end:
                break
            time.sleep(0.05)
        self.problems += found

    def finish(self):
        self.mark("end")
        wanted = self.case.about["final_task_state"]
        end = time.monotonic() + STATE_S
        while (state := self.connector.states())[1] != wanted and time.monotonic() < end:
            time.sleep(0.05)
        if state[1] != wanted:
            self.problems.append(f"state: {wanted} != {state[1]}: " + " / ".join(self.connector.trace().splitlines()[:3])[:600])
        settled(self.watermarks, LAST_QUIET_S, 5)
        write_recording(self.folder, self.lane.kafka.read(sorted(self.topics())))
        status = self.connector.call("GET", "/status").json
        (self.folder / "status.json").write_text(json.dumps(status, indent=1))
        self.problems += self.comparer.records(self.case.folder, self.folder)


def run_standalone(case, folder, scratch, comparer):
    """A standalone worker with an offset file and a schema history file, which is compared like a topic."""
    lane = Lane(scratch)
    try:
        lane.start_worker("standalone", {"offset.storage.file.filename": str(lane.folder / "offsets.dat")})
        problems = CaseRun(case, lane, folder, comparer, {"DIR": lane.folder}).run()
        for name, history in (("recorded-history", case.folder / "history.dat"), ("history", lane.folder / "history.dat")):
            (folder / name).mkdir(parents=True, exist_ok=True)
            lines = history.read_text("utf-8").splitlines() if history.exists() else []
            (folder / name / "expected.jsonl").write_text("".join(
                f'{{"topic":"history.dat","partition":0,"offset":{i},"key":null,"value":{{"json":{line}}},"headers":[]}}\n'
                for i, line in enumerate(lines)), "utf-8")
            (folder / name / "schemas.json").write_text("[]\n")
        return problems + comparer.records(folder / "recorded-history", folder / "history")
    finally:
        lane.stop()


def run_sql_only(case, lane):
    """The statements without a connector: the snapshot's position must be the recorded one."""
    back, problems = reset(lane.db, case.globals), []
    recorded = case.offsets().get("after-snapshot")
    with lane.db.session() as session:
        for step in case.steps("setup.sql"):
            run_sql(session, step)
    with lane.db.session() as session:
        file, position = (value.decode() for value in session.run("SHOW MASTER STATUS")[0][:2])
        here = {"file": file, "pos": int(position), "gtids": session.value("SELECT @@GLOBAL.gtid_binlog_pos")}
        if recorded:
            kept = {name: recorded[0]["offset"].get(name) for name in here}
            problems = [] if kept == here else [f"after setup.sql: {kept} != {here}"]
        for step in case.steps("changes.sql"):
            if isinstance(step, Sql):
                run_sql(session, step)
        for statement in back:
            session.run(statement)
    return problems


class Runner:
    def __init__(self, options, area):
        self.options = options
        self.comparer, self.known = Comparer(area, options.positions), KnownDifferences()
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="millrace-test-cdc-"))
        self.kept = pathlib.Path(options.keep) if options.keep else self.scratch / "kept"
        self.waiting, self.lock = queue.Queue(), threading.Lock()
        self.equal, self.listed, self.failed, self.report = 0, [], [], []

    def run(self, cases):
        for case in cases:
            self.waiting.put(case)
        lanes = [threading.Thread(target=self.lane, args=(i,)) for i in range(min(self.options.jobs, len(cases)))]
        for thread in lanes:
            thread.start()
        for thread in lanes:
            thread.join()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def lane(self, number):
        lane = None
        try:
            while True:
                try:
                    case = self.waiting.get_nowait()
                except queue.Empty:
                    return
                begun = time.monotonic()
                try:
                    if lane and lane.worker and lane.worker.process.poll() is not None:
                        self.say(case, f"the worker had ended with {lane.worker.process.returncode}", log(lane))
                        lane.stop()
                        lane = None
                    special = case.server_flags or case.name.startswith("290") or not (case.folder / "connector.json").exists()
                    if not lane and not special:
                        lane = self.new_lane(f"lane-{number}-{time.monotonic_ns()}")
                    problems = self.special(case) if special else self.one(case, lane)
                except Exception as problem:  # whatever goes wrong is the case's answer
                    problems = [f"{NOT_RUN}{type(problem).__name__}: {problem}"]
                    if not isinstance(problem, (AssertionError, SqlError, OSError)):
                        problems += traceback.format_exc().splitlines()[-4:-1]
                self.done(case, problems, time.monotonic() - begun)
        finally:
            if lane:
                lane.stop()

    def new_lane(self, name, flags=()):
        lane = Lane(self.scratch / name, flags)
        return lane if self.options.sql_only else lane.start_worker()

    def one(self, case, lane):
        if self.options.sql_only:
            return run_sql_only(case, lane)
        return CaseRun(case, lane, self.kept / case.name, self.comparer, {}).run()

    def special(self, case):
        if case.name.startswith("290") and not self.options.sql_only:
            return run_standalone(case, self.kept / case.name, self.scratch / "standalone", self.comparer)
        if not (case.folder / "connector.json").exists() and self.options.sql_only:
            return []
        lane = self.new_lane(f"own-{case.name}", case.server_flags)
        try:
            if (case.folder / "connector.json").exists():
                return self.one(case, lane)
            return cdc_validation.differences(case, lane.db, lane.worker)
        finally:
            lane.stop()

    def done(self, case, problems, seconds):
        unexpected, reason = self.known.unexpected(case.name, problems), self.known.reason(case.name)
        with self.lock:
            if unexpected:
                self.failed.append(case.name)
                self.say(case, f"{len(unexpected)} differences, {seconds:.1f} s", unexpected)
            elif problems:
                self.listed.append(case.name)
                self.say(case, f"known difference, {len(problems)} lines, {seconds:.1f} s: {reason}", problems if self.options.verbose else [])
            else:
                self.equal += 1
                self.say(case, f"ok, {seconds:.1f} s" + (f" (listed as known difference, but equal: {reason})" if reason else ""), [])
            self.report.append({"case": case.name, "seconds": round(seconds, 2), "differences": problems})

    def say(self, case, verdict, lines):
        shown = lines[:self.options.lines]
        more = [f"… {len(lines) - len(shown)} more"] if len(lines) > len(shown) else []
        print(f"{case.name}: {verdict}", *(f"    {line[:400]}" for line in shown + more), sep="\n", flush=True)


def log(lane):
    return lane.worker.log_text().splitlines()[-10:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prefixes", nargs="*", help="cases whose names begin so; all without")
    parser.add_argument("--list", action="store_true", help="print the cases and what they cover")
    parser.add_argument("--keep", metavar="DIR", help="keep what was seen, a folder a case")
    parser.add_argument("--positions", action="store_true", help="compare places in the binlog too")
    parser.add_argument("--jobs", type=int, default=3, help="servers and workers at once")
    parser.add_argument("--lines", type=int, default=6, help="differences shown a case")
    parser.add_argument("--report", metavar="FILE", help="all differences as JSON")
    parser.add_argument("--verbose", action="store_true", help="show known differences too")
    parser.add_argument("--sql-only", action="store_true", help="no connector: are the statements and their positions the recorded ones?")
    options = parser.parse_args()
    area = golden_root()
    if area is None:
        print("no recordings: nothing to run")
        return 77
    cases = [Case(folder) for folder in sorted(area.iterdir()) if (folder / "case.json").exists()
             and (not options.prefixes or folder.name.startswith(tuple(options.prefixes)))]
    if options.list:
        print(*(f"{case.name}: {', '.join(case.about['covers'])}" for case in cases), sep="\n")
        return 0
    if not cases:
        print("no case has such a name")
        return 2
    begun, runner = time.monotonic(), Runner(options, area)
    runner.run(cases)
    if options.report:
        pathlib.Path(options.report).write_text(json.dumps(sorted(runner.report, key=lambda each: each["case"]), indent=1, ensure_ascii=False))
    print(f"{runner.equal} of {len(cases)} equal, {len(runner.listed)} known differences, {len(runner.failed)} unexpected, "
          f"{time.monotonic() - begun:.0f} s", *(f"UNEXPECTED {name}" for name in sorted(runner.failed)), sep="\n")
    return 1 if runner.failed else 0


if __name__ == "__main__":
    sys.exit(main())
