"""A workload on a database for tests of change data capture: transactions with savepoints, rollbacks, changed keys and updates of several
tables, from several sessions at once, and DDL between them. All choices come from one seed; how the sessions interleave does not."""
import random
import threading
import time

from mariadb_client import SqlError
from support import eventually

DATABASE = "shop"
# One statement a line.
SCHEMA = f"""
CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4
USE {DATABASE}
CREATE TABLE orders (id INT PRIMARY KEY, rev INT NOT NULL DEFAULT 0, name VARCHAR(60), price DECIMAL(12,2), at DATETIME(3), raw VARBINARY(40), state ENUM('new','paid','sent'))
CREATE TABLE stock (shelf INT, place VARCHAR(20), rev INT NOT NULL DEFAULT 0, amount BIGINT, note TEXT, PRIMARY KEY (place, shelf))
CREATE TABLE moving (id BIGINT PRIMARY KEY, rev INT NOT NULL DEFAULT 0, c0 INT, s0 VARCHAR(30))
CREATE TABLE marker (id INT PRIMARY KEY, v INT)
CREATE TABLE nothing (id INT PRIMARY KEY)
INSERT INTO orders (id, name, price, at, raw) SELECT seq, CONCAT('näme ', seq), seq / 7, '2026-01-01' + INTERVAL seq MINUTE, UNHEX(SHA1(seq)) FROM seq_1_to_5000
INSERT INTO stock (shelf, place, amount) SELECT seq MOD 40, CONCAT('place ', seq DIV 40), seq FROM seq_1_to_2000
INSERT INTO moving (id, c0, s0) SELECT seq, seq, CONCAT('s', seq) FROM seq_1_to_1000
INSERT INTO marker VALUES (-1, 0), (-2, 0)
""".strip().splitlines()

# Of contention (deadlock, lock wait, duplicate key) and of columns that DDL has just taken away: the transaction is given up.
EXPECTED = {1020, 1054, 1062, 1205, 1213, 1412, 1146, 1091, 1060}
LOST = {2002, 2003, 2006, 2013, 1927, 1053, 1152, 1158, 1159, 1160, 1161}


class Columns:
    """What DDL has made of the columns of `moving`: the present ones, what became of old names, and defaults of added ones."""

    def __init__(self):
        self.lock = threading.Lock()
        self.present = {"c0": "int", "s0": "text"}
        self.renamed, self.defaults, self.count = {}, {}, 0

    def choose(self, rng):
        with self.lock:
            return rng.choice(sorted(self.present.items())) if self.present else None

    def final_name(self, name):
        while name in self.renamed:
            name = self.renamed[name]
        return name


class Workload:
    def __init__(self, server, seed, writers=8, ddl=True):
        self.server, self.columns, self.stopping = server, Columns(), threading.Event()
        self.ddl_allowed = threading.Event()
        self.problems, self.committed, self.altered = [], [0] * writers, 0
        jobs = [(self.write, i) for i in range(writers)] + ([(self.alter, writers)] if ddl else [])
        self.threads = [threading.Thread(target=self.run, args=(job, i, random.Random(f"{seed}/{i}")), daemon=True) for job, i in jobs]

    @staticmethod
    def prepare(server):
        with server.session() as session:
            for statement in SCHEMA:
                session.run(statement)

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        if self.problems:
            raise AssertionError("writers failed: " + "; ".join(map(str, self.problems[:3])))

    def run(self, job, number, rng):
        session = None
        try:
            while not self.stopping.is_set():
                try:
                    session = session or self.connect()
                    job(session, number, rng)
                except SqlError as problem:
                    if problem.code not in EXPECTED | LOST:
                        raise
                    session = self.given_up(session, problem)
                # The machine has few processors: leave some to who reads.
                self.stopping.wait(rng.uniform(0.002, 0.012))
        except Exception as problem:
            self.problems.append(problem)
        finally:
            if session:
                session.close()

    def connect(self):
        def attempt():
            try:
                return self.server.session(DATABASE)
            except SqlError as problem:
                if problem.code in LOST and not self.stopping.is_set():
                    raise OSError(str(problem)) from problem
                raise
        session = eventually(attempt, "the server takes connections")
        session.run("SET innodb_lock_wait_timeout = 1, lock_wait_timeout = 2")
        return session

    @staticmethod
    def given_up(session, problem):
        if problem.code in EXPECTED:
            try:
                session.run("ROLLBACK")
                return session
            except SqlError:
                pass
        if session:
            session.close()
        return None

    def write(self, session, number, rng):
        kind = rng.random()
        if kind < 0.25:
            self.statement(session, rng)  # autocommit
        else:
            session.run("BEGIN")
            moving = rng.random() < 0.6
            if moving:
                # Who waits for DDL must hold no rows yet, or each waits for the other until the time is up: no DDL would come through.
                session.run("SELECT id FROM moving LIMIT 0")
            for _ in range(rng.randint(1, 6)):
                self.statement(session, rng, moving)
            if kind < 0.55:
                session.run("SAVEPOINT s")
                self.statement(session, rng, moving)
                self.statement(session, rng, moving)
                if kind < 0.45:
                    session.run("ROLLBACK TO SAVEPOINT s")
                    self.statement(session, rng, moving)
            session.run("ROLLBACK" if kind > 0.9 else "COMMIT")
        self.committed[number] += 1

    def statement(self, session, rng, moving=True):
        kinds = [self.insert_order, self.update_orders, self.delete_order, self.change_key, self.several_tables, self.stock, self.stock_key]
        if moving:
            kinds += [self.insert_moving, self.update_moving, self.update_moving, self.delete_moving]
        session.run(rng.choice(kinds)(rng))

    def insert_order(self, rng):
        rows = ",".join(f"({rng.randint(1, 20000)},'ord {rng.getrandbits(32)} ü😀',{rng.randint(-10**8, 10**8) / 100},"
                        f"'2026-05-0{rng.randint(1, 9)} 01:02:03.{rng.randint(0, 999):03}',x'{rng.getrandbits(64):016x}00','new')"
                        for _ in range(rng.randint(1, 4)))
        return f"INSERT INTO orders (id,name,price,at,raw,state) VALUES {rows} ON DUPLICATE KEY UPDATE rev = rev + 1, state = NULL"

    def update_orders(self, rng):
        low = rng.randint(1, 20000)
        return f"UPDATE orders SET rev = rev + 1, price = price + 0.25, state = 'paid' WHERE id BETWEEN {low} AND {low + rng.choice([0, 3, 40])}"

    def delete_order(self, rng):
        return f"DELETE FROM orders WHERE id = {rng.randint(1, 20000)}"

    def change_key(self, rng):
        return f"UPDATE orders SET id = {rng.randint(1, 20000)}, rev = rev + 1 WHERE id = {rng.randint(1, 20000)}"

    def several_tables(self, rng):
        return (f"UPDATE orders o JOIN stock s ON s.amount = o.id SET o.rev = o.rev + 1, s.rev = s.rev + 1, s.note = o.name "
                f"WHERE o.id BETWEEN {(low := rng.randint(1, 2000))} AND {low + 5}")

    def stock(self, rng):
        place, shelf = f"'place {rng.randint(0, 60)}'", rng.randint(0, 40)
        return rng.choice([f"REPLACE INTO stock (shelf, place, amount) VALUES ({shelf}, {place}, {rng.getrandbits(40)})",
                           f"UPDATE stock SET amount = amount - 1, rev = rev + 1 WHERE place = {place} AND shelf < {shelf}",
                           f"DELETE FROM stock WHERE place = {place} AND shelf = {shelf}"])

    def stock_key(self, rng):
        return f"UPDATE stock SET place = 'place {rng.randint(0, 60)}', rev = rev + 1 WHERE place = 'place {rng.randint(0, 60)}' AND shelf = {rng.randint(0, 40)}"

    def value(self, rng, kind):
        return rng.choice(["NULL", str(rng.randint(-2**31, 2**31 - 1))] if kind == "int" else ["NULL", f"'{rng.getrandbits(60):x}'"])

    def insert_moving(self, rng):
        column = self.columns.choose(rng)
        named = (f", {column[0]}", f", {self.value(rng, column[1])}") if column else ("", "")
        return f"INSERT INTO moving (id{named[0]}) VALUES ({rng.randint(1, 5000)}{named[1]})"

    def update_moving(self, rng):
        column, low = self.columns.choose(rng), rng.randint(1, 5000)
        change = f", {column[0]} = {self.value(rng, column[1])}" if column else ""
        return f"UPDATE moving SET rev = rev + 1{change} WHERE id BETWEEN {low} AND {low + rng.choice([0, 10])}"

    def delete_moving(self, rng):
        return f"DELETE FROM moving WHERE id = {rng.randint(1, 5000)}"

    def alter(self, session, number, rng):
        """One change of `moving`; whether it came to pass is read back, for a connection may be lost over it."""
        if not self.ddl_allowed.wait(0.1):
            return
        columns, known = self.columns, self.columns.choose(rng)
        columns.count += 1
        fresh, kind = f"x{columns.count}", rng.choice(["int", "text"])
        action = rng.choice(["add", "add default", "rename", "modify", "drop"] if known else ["add"])
        if action.startswith("add"):
            default = (str(columns.count), f"'d{columns.count}'")[kind == "text"] if action == "add default" else None
            change = f"ADD COLUMN {fresh} {'INT' if kind == 'int' else 'VARCHAR(30)'}{f' DEFAULT {default}' if default else ''}"
            if rng.random() < 0.4:
                change += " AFTER id"
        elif action == "rename":
            kind, change = known[1], f"RENAME COLUMN {known[0]} TO {fresh}"
        elif action == "modify":
            change = f"MODIFY COLUMN {known[0]} {'BIGINT' if known[1] == 'int' else 'VARCHAR(' + str(40 + columns.count) + ')'}"
            if known[0] in columns.defaults:
                change += f" DEFAULT {columns.defaults[known[0]]}"
        else:
            change = f"DROP COLUMN {known[0]}"
        lost = None
        try:
            session.run(f"ALTER TABLE moving {change}")
        except SqlError as problem:
            if problem.code not in LOST:
                raise
            lost = problem
            session = self.connect()
        here = {name.decode() for (name,) in session.run(
            f"SELECT column_name FROM information_schema.columns WHERE table_schema = '{DATABASE}' AND table_name = 'moving'")}
        self.note(action, known, fresh, kind, default if action == "add default" else None, here)
        self.altered += 1
        if not lost and rng.random() < 0.5:
            session.run(self.around(rng, columns.count))
            self.altered += 1
        if lost:
            session.close()
            raise lost
        self.stopping.wait(rng.uniform(0.02, 0.3))

    @staticmethod
    def around(rng, number):
        """DDL that leaves the columns of `moving` as they are, but gives the table a new id, a twin or another name for a while."""
        return rng.choice([
            "RENAME TABLE moving TO elsewhere, elsewhere TO moving", "ALTER TABLE moving ENGINE = InnoDB, FORCE",
            f"ALTER TABLE moving ADD INDEX i{number} (rev), COMMENT 'number {number}'", "ANALYZE TABLE moving, orders",
            f"CREATE TABLE twin{number} LIKE moving", f"CREATE TABLE copy{number} (PRIMARY KEY (id)) AS SELECT * FROM moving WHERE id < 20",
            "CREATE OR REPLACE VIEW seen AS SELECT id, rev FROM moving", f"CREATE DATABASE other{number}",
            f"CREATE TEMPORARY TABLE passing{number} AS SELECT * FROM moving LIMIT 5", "TRUNCATE TABLE nothing"])

    def note(self, action, known, fresh, kind, default, here):
        columns = self.columns
        with columns.lock:
            if action.startswith("add") and fresh in here:
                columns.present[fresh] = kind
                if default:
                    columns.defaults[fresh] = default
            elif action == "rename" and fresh in here:
                columns.present.pop(known[0])
                columns.present[fresh] = kind
                columns.renamed[known[0]] = fresh
                if known[0] in columns.defaults:
                    columns.defaults[fresh] = columns.defaults.pop(known[0])
            elif action == "drop" and known[0] not in here:
                columns.present.pop(known[0])


def idle(seconds, stop):
    """For a chosen moment: the point of a kill is that nothing is waited for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stop():
        time.sleep(0.01)
