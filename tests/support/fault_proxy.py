"""A TCP proxy that does to connections what networks do: cuts them in the middle, slows them down, refuses them."""
import socket
import struct
import threading
import time


class FaultProxy:
    """Passes bytes from a free port of its own to `target_port` until it is told otherwise. Threads: any."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.delay_s = 0.0  # before each piece that a client sends
        self.refusing = False
        self.cuts = 0  # connections cut so far
        self._cut_after = None  # bytes that clients may still send, all together, before their connections are cut
        self._guard = threading.Lock()
        self._pairs = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, sent_bytes):
        """Cuts the connection over which a client sends the byte with this number from here on."""
        with self._guard:
            self._cut_after = sent_bytes

    @property
    def armed(self):
        return self._cut_after is not None

    def cut_all(self):
        with self._guard:
            pairs = list(self._pairs)
        for pair in pairs:
            self._cut(pair)

    def refuse(self, refusing=True):
        self.refusing = refusing
        if refusing:
            self.cut_all()

    def close(self):
        self._listener.close()
        self.cut_all()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing:
                _reset(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                _reset(client)
                continue
            pair = (client, server)
            with self._guard:
                self._pairs.add(pair)
            threading.Thread(target=self._pump, args=(pair, client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(pair, server, client, False), daemon=True).start()

    def _pump(self, pair, source, sink, from_client):
        try:
            while piece := source.recv(16384):
                if from_client and self.delay_s:
                    time.sleep(self.delay_s)
                allowed = self._allowed(len(piece)) if from_client else len(piece)
                sink.sendall(piece[:allowed])
                if allowed < len(piece):
                    self.cuts += 1
                    break
        except OSError:
            pass
        self._cut(pair)

    def _allowed(self, size):
        with self._guard:
            if self._cut_after is None:
                return size
            if size <= self._cut_after:
                self._cut_after -= size
                return size
            allowed, self._cut_after = self._cut_after, None
            return allowed

    def _cut(self, pair):
        with self._guard:
            if pair not in self._pairs:
                return
            self._pairs.discard(pair)
        for end in pair:
            _reset(end)


def _reset(connection):
    """Closes with RST, as a host that knows nothing of the connection; a blocked recv() in another thread ends."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()
