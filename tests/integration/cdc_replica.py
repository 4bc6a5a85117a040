"""Rebuilds tables from a connector's change events, and checks on the way that each event fits what came before it."""
import base64
import datetime
import re

from cdc_support import envelope

# Of one changed key the delete and the create have the same place in the binlog.
RANK = {"d": 0, "u": 1, "c": 1}


class Inconsistent(AssertionError):
    pass


class Replica:
    """One table. `once`: an event seen again is an error; else it is counted, and applied again as any reader would.

    A snapshot that was killed goes on beside the stream: rows are then read at the place of the stream where their event is, and
    changes of rows that are not read yet come before them. `interrupted`: that may be.

    columns, for tables that DDL changes: a Columns of cdc_writers, with the final names of columns.
    """

    def __init__(self, topic, once, columns=None, interrupted=False):
        self.topic, self.once, self.columns, self.interrupted = topic, once, columns, interrupted
        self.known = set()  # identities that were ever there
        self.rows, self.seen, self.last = {}, set(), None
        self.read = set()  # identities whose row is as a snapshot read it
        self.events = self.repeated = self.snapshots = 0
        self.wants_tombstone = None

    def apply(self, record):
        key, event = envelope(record.key), envelope(record.value)
        where = f"{self.topic}@{record.offset}"
        if event is None:
            return self.tombstone(key, where)
        if self.once and self.wants_tombstone is not None:
            raise Inconsistent(f"{where}: no tombstone follows the delete of {self.wants_tombstone}")
        self.events += 1
        identity = tuple(sorted(key.items()))
        self.snapshot(identity, event, where) if event["op"] == "r" else self.change(identity, key, event, where)

    def tombstone(self, key, where):
        if self.once and key != self.wants_tombstone:
            raise Inconsistent(f"{where}: a tombstone of {key} after a delete of {self.wants_tombstone}")
        self.wants_tombstone = None

    def snapshot(self, identity, event, where):
        if event["source"]["snapshot"] in ("first", "first_in_data_collection"):
            # A snapshot that was broken off begins anew; what the former one sent is void.
            self.rows, self.seen, self.last, self.snapshots = {}, set(), None, self.snapshots + 1
            self.known = set()
        held, after = self.rows.get(identity), self.named(event["after"])
        if held is not None and not self.interrupted:
            raise Inconsistent(f"{where}: {identity} is in the snapshot twice")
        if held is not None and self.once and not self.same(held, after):
            raise Inconsistent(f"{where}: {identity} is read as {after}, but the stream has it as {held}")
        if held is None and self.once and identity in self.known:
            raise Inconsistent(f"{where}: {identity} is read, but the stream has deleted it")
        self.put(identity, after)
        self.read.add(identity)

    def put(self, identity, row):
        self.known.add(identity)
        self.read.discard(identity)
        if row is None:
            self.rows.pop(identity, None)
        else:
            self.rows[identity] = row

    def change(self, identity, key, event, where):
        source = event["source"]
        place = (int(source["file"].rsplit(".", 1)[1]), source["pos"], source["row"], RANK[event["op"]])
        self.wants_tombstone = key if event["op"] == "d" else None
        if place in self.seen:
            self.repeated += 1
            if self.once:
                raise Inconsistent(f"{where}: {place} of {identity} comes twice")
            return self.put(identity, None if event["op"] == "d" else self.named(event["after"]))
        if self.last is not None and place < self.last:
            raise Inconsistent(f"{where}: {place} comes after {self.last}")
        self.seen.add(place)
        self.last = place
        before, after, held = self.named(event["before"]), self.named(event["after"]), self.rows.get(identity)
        if event["op"] == "c":
            if held is not None:
                raise Inconsistent(f"{where}: {identity} is created, but is there: {held}")
        elif held is None and self.interrupted and identity not in self.known:
            pass  # the snapshot had not read it yet
        elif held is None:
            raise Inconsistent(f"{where}: {event['op']} of {identity}, which is not there")
        elif not self.same(held, before, lost=self.dropped() if identity in self.read else ()):
            raise Inconsistent(f"{where}: before is {before}, but the row was {held}")
        self.put(identity, after)

    def named(self, row):
        """By the names that columns have at the end."""
        return row if row is None or self.columns is None else {self.columns.final_name(name): value for name, value in row.items()}

    def default(self, name):
        """The value of a column that was added after the row was sent."""
        text = self.columns.defaults.get(name) if self.columns else None
        return None if text is None else text[1:-1] if text.startswith("'") else int(text)

    def dropped(self):
        """A snapshot cannot read them any more, though it reads rows as they were before."""
        return self.columns.dropped if self.columns else ()

    def same(self, held, row, lost=()):
        """Whether they agree in the columns of `row`; those added since `held` was sent have their default."""
        return all((held[name] if name in held else self.default(name)) == value for name, value in row.items()
                   if name in held or name not in lost)

    def differences(self, source):
        """Between the table {identity: row} and this."""
        for identity in source.keys() - self.rows.keys():
            yield f"{self.topic}: {identity} is missing"
        for identity in self.rows.keys() - source.keys():
            yield f"{self.topic}: {identity} should not be there: {self.rows[identity]}"
        for identity, row in source.items():
            if identity in self.rows and not self.same(self.rows[identity], row):
                yield f"{self.topic}: {identity} is {self.rows[identity]}, in the table {row}"


def milliseconds(text):
    return (datetime.datetime.fromisoformat(text) - datetime.datetime(1970, 1, 1)) // datetime.timedelta(milliseconds=1)


# How a column's text becomes the value of an event, with decimal.handling.mode=string and binary.handling.mode=base64.
CONVERSIONS = [(r"^(tiny|small|medium|big)?int", int), (r"^datetime\(3\)", milliseconds), (r"", str)]


def conversion(kind):
    if "binary" in kind or "blob" in kind:
        return lambda data: base64.b64encode(data).decode()
    return next(lambda data, make=make: make(data.decode()) for pattern, make in CONVERSIONS if re.match(pattern, kind))


def table_of(session, database, table):
    """{identity: row} of a table, values as events have them."""
    described = [(name.decode(), kind.decode(), key == b"PRI") for name, kind, key in session.run(
        f"SELECT column_name, column_type, column_key FROM information_schema.columns WHERE table_schema = '{database}' "
        f"AND table_name = '{table}' ORDER BY ordinal_position")]
    makes = [conversion(kind) for _, kind, _ in described]
    rows = {}
    for values in session.run(f"SELECT * FROM {database}.{table}"):
        row = {name: None if value is None else make(value) for (name, _, _), make, value in zip(described, makes, values)}
        rows[tuple(sorted((name, row[name]) for name, _, primary in described if primary))] = row
    return rows
