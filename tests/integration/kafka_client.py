"""A Kafka client for tests and benches: librdkafka through ctypes, so a fresh machine needs nothing but its C library.

Records come back as bytes, with their headers and timestamps; a read ends where the partitions end.
"""
import collections
import ctypes
import time
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_int64, c_size_t, c_void_p

Record = collections.namedtuple("Record", "topic partition offset timestamp key value headers")

CONSUMER, PRODUCER = 1, 0
PARTITION_EOF, NO_TIMESTAMP = -191, -1
OFFSET_BEGINNING, OFFSET_END = -2, -1
COPY_PAYLOAD = 2


class Message(ctypes.Structure):
    _fields_ = [("err", c_int), ("rkt", c_void_p), ("partition", c_int32), ("payload", c_void_p), ("len", c_size_t),
                ("key", c_void_p), ("key_len", c_size_t), ("offset", c_int64), ("private", c_void_p)]


class PartitionInfo(ctypes.Structure):
    _fields_ = [("id", c_int32), ("err", c_int), ("leader", c_int32), ("replica_cnt", c_int), ("replicas", c_void_p),
                ("isr_cnt", c_int), ("isrs", c_void_p)]


class TopicInfo(ctypes.Structure):
    _fields_ = [("topic", c_char_p), ("partition_cnt", c_int), ("partitions", POINTER(PartitionInfo)), ("err", c_int)]


class Metadata(ctypes.Structure):
    _fields_ = [("broker_cnt", c_int), ("brokers", c_void_p), ("topic_cnt", c_int), ("topics", POINTER(TopicInfo)),
                ("orig_broker_id", c_int32), ("orig_broker_name", c_char_p)]


class TopicPartition(ctypes.Structure):
    _fields_ = [("topic", c_char_p), ("partition", c_int32), ("offset", c_int64), ("metadata", c_void_p), ("metadata_size", c_size_t),
                ("opaque", c_void_p), ("err", c_int), ("private", c_void_p)]


def library():
    lib = ctypes.CDLL("librdkafka.so.1")
    signatures = {
        "rd_kafka_conf_new": (c_void_p, []),
        "rd_kafka_conf_set": (c_int, [c_void_p, c_char_p, c_char_p, c_char_p, c_size_t]),
        "rd_kafka_new": (c_void_p, [c_int, c_void_p, c_char_p, c_size_t]),
        "rd_kafka_destroy_flags": (None, [c_void_p, c_int]),
        "rd_kafka_err2str": (c_char_p, [c_int]),
        "rd_kafka_poll_set_consumer": (c_int, [c_void_p]),
        "rd_kafka_metadata": (c_int, [c_void_p, c_int, c_void_p, POINTER(POINTER(Metadata)), c_int]),
        "rd_kafka_metadata_destroy": (None, [c_void_p]),
        "rd_kafka_query_watermark_offsets": (c_int, [c_void_p, c_char_p, c_int32, POINTER(c_int64), POINTER(c_int64), c_int]),
        "rd_kafka_topic_partition_list_new": (c_void_p, [c_int]),
        "rd_kafka_topic_partition_list_add": (POINTER(TopicPartition), [c_void_p, c_char_p, c_int32]),
        "rd_kafka_topic_partition_list_destroy": (None, [c_void_p]),
        "rd_kafka_assign": (c_int, [c_void_p, c_void_p]),
        "rd_kafka_consumer_poll": (POINTER(Message), [c_void_p, c_int]),
        "rd_kafka_message_destroy": (None, [POINTER(Message)]),
        "rd_kafka_message_timestamp": (c_int64, [POINTER(Message), POINTER(c_int)]),
        "rd_kafka_message_headers": (c_int, [POINTER(Message), POINTER(c_void_p)]),
        "rd_kafka_header_get_all": (c_int, [c_void_p, c_size_t, POINTER(c_char_p), POINTER(c_void_p), POINTER(c_size_t)]),
        "rd_kafka_topic_name": (c_char_p, [c_void_p]),
        "rd_kafka_topic_new": (c_void_p, [c_void_p, c_char_p, c_void_p]),
        "rd_kafka_topic_destroy": (None, [c_void_p]),
        "rd_kafka_produce": (c_int, [c_void_p, c_int32, c_int, c_char_p, c_size_t, c_char_p, c_size_t, c_void_p]),
        "rd_kafka_flush": (c_int, [c_void_p, c_int]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


LIB = library()


def text(code):
    return LIB.rd_kafka_err2str(code).decode()


def handle(kind, settings):
    conf, problem = LIB.rd_kafka_conf_new(), ctypes.create_string_buffer(512)
    for key, value in settings.items():
        if LIB.rd_kafka_conf_set(conf, key.encode(), str(value).encode(), problem, 512) != 0:
            raise RuntimeError(problem.value.decode())
    made = LIB.rd_kafka_new(kind, conf, problem, 512)
    if not made:
        raise RuntimeError(problem.value.decode())
    return made


class Kafka:
    """One consumer (and a producer when first needed) on one cluster; used by one thread."""

    TIMEOUT_MS = 10_000

    def __init__(self, bootstrap, **settings):
        self.bootstrap = bootstrap
        # The group names nobody: partitions are assigned, nothing is committed.
        self.consumer = handle(CONSUMER, {
            "bootstrap.servers": bootstrap, "group.id": "tests", "enable.auto.commit": "false", "enable.partition.eof": "true",
            "fetch.wait.max.ms": "20", "fetch.error.backoff.ms": "20", "reconnect.backoff.ms": "20", "reconnect.backoff.max.ms": "200",
            "message.max.bytes": "1000000000", "fetch.message.max.bytes": "67108864", "fetch.max.bytes": "1073741824",
            "receive.message.max.bytes": "1100000000", "log_level": "0", "auto.offset.reset": "earliest", **settings})
        LIB.rd_kafka_poll_set_consumer(self.consumer)
        self.producer = None

    def close(self):
        no_consumer_close = 8
        for each in (self.consumer, self.producer):
            if each:
                LIB.rd_kafka_destroy_flags(each, no_consumer_close)
        self.consumer = self.producer = None

    def topics(self):
        """{name: number of partitions} of the whole cluster."""
        found = POINTER(Metadata)()
        code = LIB.rd_kafka_metadata(self.consumer, 1, None, byref(found), self.TIMEOUT_MS)
        if code:
            raise RuntimeError(f"metadata: {text(code)}")
        try:
            known = found.contents
            return {known.topics[i].topic.decode(): known.topics[i].partition_cnt for i in range(known.topic_cnt)}
        finally:
            LIB.rd_kafka_metadata_destroy(found)

    def high(self, topic, partition=0):
        low, high = c_int64(), c_int64()
        code = LIB.rd_kafka_query_watermark_offsets(self.consumer, topic.encode(), partition, byref(low), byref(high), self.TIMEOUT_MS)
        if code:
            raise RuntimeError(f"{topic}: {text(code)}")
        return high.value

    def highs(self, names):
        """High watermarks, summed over partitions, of those topics that exist."""
        return {name: sum(self.high(name, p) for p in range(count)) for name, count in self.topics().items() if name in names}

    def assign(self, partitions, offset=OFFSET_BEGINNING):
        chosen = LIB.rd_kafka_topic_partition_list_new(len(partitions))
        for topic, partition in partitions:
            LIB.rd_kafka_topic_partition_list_add(chosen, topic.encode(), partition).contents.offset = offset
        code = LIB.rd_kafka_assign(self.consumer, chosen if partitions else None)
        LIB.rd_kafka_topic_partition_list_destroy(chosen)
        if code:
            raise RuntimeError(f"assign: {text(code)}")

    def poll(self, timeout_s):
        """A Record, ("end", topic, partition) where a partition ends, or None."""
        got = LIB.rd_kafka_consumer_poll(self.consumer, int(timeout_s * 1000))
        if not got:
            return None
        try:
            message = got.contents
            if message.err == PARTITION_EOF:
                return ("end", LIB.rd_kafka_topic_name(message.rkt).decode(), message.partition)
            if message.err:
                raise RuntimeError(text(message.err))
            kind = c_int()
            stamp = LIB.rd_kafka_message_timestamp(got, byref(kind))
            return Record(LIB.rd_kafka_topic_name(message.rkt).decode(), message.partition, message.offset, stamp,
                          content(message.key, message.key_len), content(message.payload, message.len), headers(got))
        finally:
            LIB.rd_kafka_message_destroy(got)

    def read(self, topics, timeout_s=30):
        """All records of the topics from their beginning to their end, by topic, partition and offset."""
        known = self.topics()
        partitions = [(name, p) for name in topics for p in range(known.get(name, 0))]
        self.assign(partitions)
        left, records, end = set(partitions), [], time.monotonic() + timeout_s
        while left:
            got = self.poll(1)
            if got is None and time.monotonic() > end:
                raise AssertionError(f"not read to the end within {timeout_s} s: {sorted(left)}")
            if got is None:
                continue
            if got[0] == "end":
                left.discard(got[1:])
            elif isinstance(got, Record):
                records.append(got)
        self.assign([])
        return sorted(records, key=lambda r: r[:3])

    def produce(self, topic, key, value):
        if not self.producer:
            self.producer = handle(PRODUCER, {"bootstrap.servers": self.bootstrap, "linger.ms": "0", "log_level": "0"})
        made = LIB.rd_kafka_topic_new(self.producer, topic.encode(), None)
        if LIB.rd_kafka_produce(made, 0, COPY_PAYLOAD, value, len(value or b""), key, len(key), None):
            raise RuntimeError(f"{topic} does not take a record")
        code = LIB.rd_kafka_flush(self.producer, self.TIMEOUT_MS)
        LIB.rd_kafka_topic_destroy(made)
        if code:
            raise RuntimeError(f"{topic}: {text(code)}")

    def produce_all(self, topic, records):
        """Many texts (key, value or None), in large batches, into partition 0."""
        producer = handle(PRODUCER, {"bootstrap.servers": self.bootstrap, "linger.ms": "20", "batch.size": "1000000", "log_level": "0",
                                     "queue.buffering.max.messages": "100000"})
        made = LIB.rd_kafka_topic_new(producer, topic.encode(), None)
        for key, value in records:
            key, value = key.encode(), value.encode() if value is not None else None
            while LIB.rd_kafka_produce(made, 0, COPY_PAYLOAD, value, len(value or b""), key, len(key), None):
                LIB.rd_kafka_flush(producer, 50)  # its queue is full
        code = LIB.rd_kafka_flush(producer, 60_000)
        LIB.rd_kafka_topic_destroy(made)
        LIB.rd_kafka_destroy_flags(producer, 8)
        if code:
            raise RuntimeError(f"{topic}: {text(code)}")


def content(pointer, length):
    return None if not pointer else ctypes.string_at(pointer, length)


def headers(message):
    held, found, i = c_void_p(), [], 0
    if LIB.rd_kafka_message_headers(message, byref(held)):
        return found
    name, value, size = c_char_p(), c_void_p(), c_size_t()
    while LIB.rd_kafka_header_get_all(held, i, byref(name), byref(value), byref(size)) == 0:
        found.append((name.value.decode(), content(value.value, size.value)))
        i += 1
    return found
