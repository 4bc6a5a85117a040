"""A MariaDB session for tests and benches: libmariadb through ctypes. Statements are sent byte for byte, without a shell's parsing."""
import ctypes
from ctypes import POINTER, c_char_p, c_int, c_uint, c_ulong, c_ulonglong, c_void_p

SET_CHARSET_NAME, CLIENT_MULTI_RESULTS = 7, 1 << 17


def library():
    lib = ctypes.CDLL("libmariadb.so.3")
    signatures = {
        "mysql_init": (c_void_p, [c_void_p]),
        "mysql_options": (c_int, [c_void_p, c_int, c_char_p]),
        "mysql_real_connect": (c_void_p, [c_void_p, c_char_p, c_char_p, c_char_p, c_char_p, c_uint, c_char_p, c_ulong]),
        "mysql_real_query": (c_int, [c_void_p, c_char_p, c_ulong]),
        "mysql_store_result": (c_void_p, [c_void_p]),
        "mysql_num_fields": (c_uint, [c_void_p]),
        "mysql_fetch_row": (POINTER(c_void_p), [c_void_p]),
        "mysql_fetch_lengths": (POINTER(c_ulong), [c_void_p]),
        "mysql_free_result": (None, [c_void_p]),
        "mysql_next_result": (c_int, [c_void_p]),
        "mysql_affected_rows": (c_ulonglong, [c_void_p]),
        "mysql_errno": (c_uint, [c_void_p]),
        "mysql_error": (c_char_p, [c_void_p]),
        "mysql_close": (None, [c_void_p]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


LIB = library()


class SqlError(RuntimeError):
    def __init__(self, code, message):
        super().__init__(f"({code}) {message}")
        self.code = code


class Session:
    """One connection, of one thread: utf8mb4, autocommit."""

    def __init__(self, port, password, user="root", database=None):
        self.handle = LIB.mysql_init(None)
        LIB.mysql_options(self.handle, SET_CHARSET_NAME, b"utf8mb4")
        if not LIB.mysql_real_connect(self.handle, b"127.0.0.1", user.encode(), password.encode(), database and database.encode(), port,
                                      None, CLIENT_MULTI_RESULTS):
            problem = self.problem()
            self.close()
            raise problem

    def problem(self):
        return SqlError(LIB.mysql_errno(self.handle), LIB.mysql_error(self.handle).decode("utf-8", "replace"))

    def run(self, statement):
        """The rows of the last result set, each a tuple of bytes or None; raises SqlError."""
        data = statement.encode() if isinstance(statement, str) else statement
        if LIB.mysql_real_query(self.handle, data, len(data)):
            raise self.problem()
        rows, more = [], 0
        while more == 0:
            result = LIB.mysql_store_result(self.handle)
            if result:
                rows = fetch(result)
            elif LIB.mysql_errno(self.handle):
                raise self.problem()
            more = LIB.mysql_next_result(self.handle)
        if more > 0:
            raise self.problem()
        return rows

    def value(self, statement):
        """The first value of the first row as text."""
        return self.run(statement)[0][0].decode()

    def close(self):
        if self.handle:
            LIB.mysql_close(self.handle)
            self.handle = None

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.close()


def fetch(result):
    rows, count = [], LIB.mysql_num_fields(result)
    while True:
        row = LIB.mysql_fetch_row(result)
        if not row:
            break
        lengths = LIB.mysql_fetch_lengths(result)
        rows.append(tuple(None if row[i] is None else ctypes.string_at(row[i], lengths[i]) for i in range(count)))
    LIB.mysql_free_result(result)
    return rows
