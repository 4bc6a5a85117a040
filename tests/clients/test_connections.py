"""Thousands of idle connections, hundreds of busy ones, and a reader that does not read: none harms another.
Plain sockets and hand-made frames, so that the test itself costs little."""
import os
import resource
import selectors
import socket
import struct
import unittest

from broker_support import Broker, deadline

IDLE = int(os.environ.get("MILLRACE_IDLE_CONNECTIONS", "10000"))
BUSY = 500


def frame(key, version, correlation, body=b""):
    header = struct.pack(">hhih", key, version, correlation, 4) + b"test"
    return struct.pack(">i", len(header) + len(body)) + header + body


def text(value):
    return struct.pack(">h", len(value)) + value


def read_frame(connection):
    head = b""
    while len(head) < 4:
        part = connection.recv(4 - len(head))
        if not part:
            raise ConnectionError("closed")
        head += part
    left, parts = struct.unpack(">i", head)[0], []
    while left:
        part = connection.recv(min(left, 1 << 20))
        if not part:
            raise ConnectionError("closed inside an answer")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


API_VERSIONS = 18
FETCH = 1
METADATA = 3


class Connections(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        cls.idle = min(IDLE, hard - BUSY - 200)  # the machine's limit on open files
        cls.broker = Broker().start()

    @classmethod
    def tearDownClass(cls):
        cls.broker.remove()

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.broker.port), 10)
        connection.settimeout(30)
        self.addCleanup(connection.close)
        return connection

    def rss_mib(self):
        with open(f"/proc/{self.broker.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    def test_idle_and_busy(self):
        idle = []
        for i in range(self.idle):
            # A local port range is 28,000 wide; every idle connection has asked something once.
            connection = self.connect()
            idle.append(connection)
            if i % 100 == 0:
                connection.sendall(frame(API_VERSIONS, 0, i))
                self.assertEqual(struct.unpack(">i", read_frame(connection)[:4])[0], i)
        busy = [self.connect() for _ in range(BUSY)]
        rounds, over = 20, deadline(60)
        selector = selectors.DefaultSelector()
        answered = {c: 0 for c in busy}
        for connection in busy:
            selector.register(connection, selectors.EVENT_READ)
            connection.sendall(frame(API_VERSIONS, 0, 0))
        while min(answered.values()) < rounds:
            self.assertFalse(over(), f"only {sum(answered.values())} answers")
            for key, _ in selector.select(1):
                connection = key.fileobj
                self.assertEqual(struct.unpack(">i", read_frame(connection)[:4])[0], answered[connection])
                answered[connection] += 1
                if answered[connection] < rounds:
                    connection.sendall(frame(API_VERSIONS, 0, answered[connection]))
        print(f"\n{len(idle)} idle and {BUSY} busy connections; the broker uses {self.rss_mib():.0f} MiB")
        idle[0].sendall(frame(API_VERSIONS, 0, 77))
        self.assertEqual(struct.unpack(">i", read_frame(idle[0])[:4])[0], 77)

    def test_a_reader_that_does_not_read_harms_no_other(self):
        topic = b"slow"
        metadata = frame(METADATA, 1, 1, struct.pack(">i", 1) + text(topic))
        setup = self.connect()
        over = deadline(30)
        while True:  # created by the first request; asked until it has a leader
            setup.sendall(metadata)
            if topic in read_frame(setup):
                break
            self.assertFalse(over())
        # The slow one pipelines thousands of requests whose answers are long, and reads none of them.
        slow = self.connect()
        slow.setblocking(False)
        request, sent = frame(METADATA, 1, 2, struct.pack(">i", -1)), 0
        try:
            for _ in range(200_000):
                sent += slow.send(request)
        except BlockingIOError:
            pass
        other, before = self.connect(), self.rss_mib()
        for i in range(200):
            other.sendall(frame(API_VERSIONS, 0, i))
            self.assertEqual(struct.unpack(">i", read_frame(other)[:4])[0], i)
        self.assertLess(self.rss_mib() - before, 64, "answers pile up in memory for a client that does not read")


if __name__ == "__main__":
    unittest.main(verbosity=2)
