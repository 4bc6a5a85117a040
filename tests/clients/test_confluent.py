"""confluent-kafka: the Python face of a current librdkafka."""
import threading
import unittest

from broker_support import ClientTest, deadline, need, wait_until

need("python")
from confluent_kafka import (Consumer, ConsumerGroupTopicPartitions, IsolationLevel, KafkaError, KafkaException, Producer,  # noqa: E402
                             TopicPartition)
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic,  # noqa: E402
                                   OffsetSpec, ResourceType)


class Confluent(ClientTest):
    def producer(self, **settings):
        return Producer({"bootstrap.servers": self.bootstrap, **{k.replace("_", "."): v for k, v in settings.items()}})

    def consumer(self, group, **settings):
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group, "auto.offset.reset": "earliest",
                             "enable.auto.commit": False, **{k.replace("_", "."): v for k, v in settings.items()}})
        self.addCleanup(consumer.close)
        return consumer

    def setUp(self):
        self.admin_client = AdminClient({"bootstrap.servers": self.bootstrap})  # its futures die with it

    def admin(self):
        return self.admin_client

    def make_topic(self, partitions=2, **config):
        topic = self.name()
        self.admin().create_topics([NewTopic(topic, partitions, 1, config={k.replace("_", "."): v for k, v in config.items()})])[
            topic].result(30)
        return topic

    def read(self, consumer, count):
        got, over = [], deadline()
        while len(got) < count:
            self.assertFalse(over(), f"{len(got)} of {count} records")
            for message in consumer.consume(500, 0.5):
                self.assertIsNone(message.error())
                got.append(message)
        return got

    def test_idempotent_with_every_codec(self):
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            topic = self.make_topic(1)
            failed = []
            producer = self.producer(enable_idempotence=True, compression_type=codec, linger_ms=5)
            for i in range(2000):
                producer.produce(topic, key=str(i), value=f"value {i} " * 10, headers={"h": b"\x00\xff"},
                                 on_delivery=lambda error, _: failed.append(error) if error else None)
                producer.poll(0)
            self.assertEqual(producer.flush(30), 0)
            self.assertEqual(failed, [])
            consumer = self.consumer(self.name("group"))
            consumer.subscribe([topic])
            got = self.read(consumer, 2000)
            self.assertEqual([m.offset() for m in got], list(range(2000)), codec)
            self.assertEqual(got[7].headers(), [("h", b"\x00\xff")])

    def test_two_members_share_and_take_over(self):
        topic, group = self.make_topic(4), self.name("group")
        assigned, lock = {}, threading.Lock()

        def member(name):
            consumer = self.consumer(group, session_timeout_ms=6000)

            def note(_, partitions):
                with lock:
                    assigned[name] = {p.partition for p in partitions}
            consumer.subscribe([topic], on_assign=note)
            return consumer

        first, second = member("a"), member("b")

        def shared():
            first.poll(0.1), second.poll(0.1)
            a, b = assigned.get("a", set()), assigned.get("b", set())
            return len(a) == 2 and len(b) == 2 and a | b == {0, 1, 2, 3}
        wait_until(shared, "each member has two partitions")
        second.close()
        wait_until(lambda: (first.poll(0.1), len(assigned["a"]) == 4)[1], "the other member has them all")

    def test_cooperative_sticky_rebalance(self):
        topic, group = self.make_topic(4), self.name("group")
        held = {"a": set(), "b": set()}

        def member(name):
            consumer = self.consumer(group, partition_assignment_strategy="cooperative-sticky")
            consumer.subscribe([topic],
                               on_assign=lambda c, ps: (held[name].update(p.partition for p in ps), c.incremental_assign(ps)),
                               on_revoke=lambda c, ps: (held[name].difference_update(p.partition for p in ps), c.incremental_unassign(ps)))
            return consumer
        first = member("a")
        wait_until(lambda: (first.poll(0.1), len(held["a"]) == 4)[1], "one member has all")
        second = member("b")
        wait_until(lambda: (first.poll(0.1), second.poll(0.1), len(held["a"]) == 2 and len(held["b"]) == 2)[2], "two share")

    def test_committed_offsets_carry_on(self):
        topic, group = self.make_topic(1), self.name("group")
        producer = self.producer()
        for i in range(10):
            producer.produce(topic, value=str(i))
        producer.flush(30)
        consumer = self.consumer(group)
        consumer.subscribe([topic])
        self.read(consumer, 10)
        consumer.commit(offsets=[TopicPartition(topic, 0, 4, metadata="half way")], asynchronous=False)
        self.assertEqual(consumer.committed([TopicPartition(topic, 0)], 10)[0].metadata, "half way")
        consumer.close()
        again = self.consumer(group)
        again.subscribe([topic])
        self.assertEqual(self.read(again, 6)[0].value(), b"4")

    def test_transactions_commit_abort_and_fence(self):
        topic, ident = self.make_topic(2), self.name("txn")
        producer = self.producer(transactional_id=ident)
        producer.init_transactions(30)
        for round_, commit in enumerate((True, False, True)):
            producer.begin_transaction()
            for i in range(20):
                producer.produce(topic, value=f"{round_}-{i}", partition=i % 2)
            producer.flush(30)
            producer.commit_transaction(30) if commit else producer.abort_transaction(30)
        seen = {}
        for isolation in ("read_committed", "read_uncommitted"):
            consumer = self.consumer(self.name("group"), isolation_level=isolation)
            consumer.subscribe([topic])
            seen[isolation] = {m.value().decode() for m in self.read(consumer, 40 if isolation == "read_committed" else 60)}
            self.assertIsNone(consumer.poll(0.5))
        self.assertEqual(seen["read_committed"], {f"{r}-{i}" for r in (0, 2) for i in range(20)})
        self.assertEqual(len(seen["read_uncommitted"]), 60)
        successor = self.producer(transactional_id=ident)
        successor.init_transactions(30)
        with self.assertRaises(KafkaException) as fenced:
            producer.begin_transaction()
            producer.produce(topic, value="zombie")
            producer.commit_transaction(30)
        self.assertIn(fenced.exception.args[0].code(), (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH))

    def test_read_process_write_exactly_once(self):
        source, sink, group = self.make_topic(1), self.make_topic(1), self.name("group")
        feeder = self.producer()
        for i in range(100):
            feeder.produce(source, value=str(i))
        feeder.flush(30)
        consumer = self.consumer(group, isolation_level="read_committed")
        consumer.subscribe([source])
        producer = self.producer(transactional_id=self.name("txn"))
        producer.init_transactions(30)
        done, over = 0, deadline()
        while done < 100:
            self.assertFalse(over())
            batch = [m for m in consumer.consume(30, 0.5) if not m.error()]
            if not batch:
                continue
            producer.begin_transaction()
            for message in batch:
                producer.produce(sink, value=b"<" + message.value() + b">")
            producer.send_offsets_to_transaction(consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), 30)
            producer.commit_transaction(30)
            done += len(batch)
        reader = self.consumer(self.name("group"), isolation_level="read_committed")
        reader.subscribe([sink])
        self.assertEqual([m.value().decode() for m in self.read(reader, 100)], [f"<{i}>" for i in range(100)])
        self.assertEqual(consumer.committed([TopicPartition(source, 0)], 30)[0].offset, 100)

    def test_admin_topics_configs_and_records(self):
        admin, topic = self.admin(), self.make_topic(1, retention_ms="172800000")
        resource = ConfigResource(ResourceType.TOPIC, topic)
        configs = admin.describe_configs([resource])[resource].result(30)
        self.assertEqual(configs["retention.ms"].value, "172800000")
        self.assertEqual(configs["cleanup.policy"].value, "delete")
        resource.add_incremental_config(ConfigEntry("retention.ms", "86400000", incremental_operation=AlterConfigOpType.SET))
        admin.incremental_alter_configs([resource])[resource].result(30)
        fresh = ConfigResource(ResourceType.TOPIC, topic)
        self.assertEqual(admin.describe_configs([fresh])[fresh].result(30)["retention.ms"].value, "86400000")
        admin.create_partitions([NewPartitions(topic, 3)])[topic].result(30)
        self.assertEqual(len(admin.list_topics(topic, 30).topics[topic].partitions), 3)
        producer = self.producer()
        for i in range(10):
            producer.produce(topic, value=str(i), partition=0)
        producer.flush(30)
        purged = admin.delete_records([TopicPartition(topic, 0, 6)])[TopicPartition(topic, 0)].result(30)
        self.assertEqual(purged.low_watermark, 6)
        offsets = admin.list_offsets({TopicPartition(topic, 0): OffsetSpec.earliest()}, isolation_level=IsolationLevel.READ_COMMITTED)
        self.assertEqual(next(iter(offsets.values())).result(30).offset, 6)
        with self.assertRaises(KafkaException) as twice:
            admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
        self.assertEqual(twice.exception.args[0].code(), KafkaError.TOPIC_ALREADY_EXISTS)
        with self.assertRaises(KafkaException) as wrong:
            admin.create_topics([NewTopic("bad/name", 1, 1)])["bad/name"].result(30)
        self.assertEqual(wrong.exception.args[0].code(), KafkaError.TOPIC_EXCEPTION)
        admin.delete_topics([topic])[topic].result(30)
        wait_until(lambda: topic not in admin.list_topics(timeout=30).topics, "the topic is gone")

    def test_admin_groups(self):
        admin, topic, group = self.admin(), self.make_topic(1), self.name("group")
        producer = self.producer()
        producer.produce(topic, value="1")
        producer.flush(30)
        consumer = self.consumer(group, client_id="watched")
        consumer.subscribe([topic])
        self.read(consumer, 1)
        consumer.commit(asynchronous=False)
        described = admin.describe_consumer_groups([group])[group].result(30)
        self.assertEqual((described.state.name, described.members[0].client_id), ("STABLE", "watched"))
        self.assertIn(group, [g.group_id for g in admin.list_consumer_groups().result(30).valid])
        with self.assertRaises(KafkaException) as busy:
            admin.delete_consumer_groups([group])[group].result(30)
        self.assertEqual(busy.exception.args[0].code(), KafkaError.NON_EMPTY_GROUP)
        consumer.close()
        stored = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(30)
        self.assertEqual(stored.topic_partitions[0].offset, 1)
        admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 0)])])[group].result(30)
        admin.delete_consumer_groups([group])[group].result(30)
        self.assertNotIn(group, [g.group_id for g in admin.list_consumer_groups().result(30).valid])


if __name__ == "__main__":
    unittest.main(verbosity=2)
