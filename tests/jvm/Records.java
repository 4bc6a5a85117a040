import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

/**
 * Fills a broker with everything a log can hold, and prints what a broker holds, so that two can be compared.
 *
 *   Records write BOOTSTRAP        every codec, transactions, a compacted topic, committed offsets
 *   Records write-more BOOTSTRAP   the transactions once more, by the same producer
 *   Records read BOOTSTRAP         one sorted line for each record a committed reader sees, for each partition's bounds,
 *                                  for each committed offset
 */
public class Records {
  static final int RECORDS = 500;
  static final long FIRST_TIMESTAMP = 1_700_000_000_000L;
  static final int COMPACTED_RECORDS = 3000, COMPACTED_KEYS = 100;

  public static void main(String[] arguments) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", arguments[1]))) {
      if (arguments[0].equals("write")) write(arguments[1], admin);
      else if (arguments[0].equals("write-more")) transactions(arguments[1]);
      else read(arguments[1], admin);
    }
  }

  static void write(String bootstrap, Admin admin) throws Exception {
    String[] codecs = {"none", "gzip", "snappy", "lz4", "zstd"};
    List<NewTopic> topics = new ArrayList<>();
    for (String codec : codecs) topics.add(new NewTopic("codec-" + codec, 2, (short) 1));
    topics.add(new NewTopic("transactions", 2, (short) 1));
    topics.add(new NewTopic("compacted", 1, (short) 1).configs(Map.of("cleanup.policy", "compact", "segment.bytes", "1048576",
        "min.cleanable.dirty.ratio", "0.01")));
    admin.createTopics(topics).all().get();
    for (String codec : codecs) {
      try (Producer<String, String> producer = producer(bootstrap, Map.of("compression.type", codec, "linger.ms", "5"))) {
        for (int i = 0; i < RECORDS; i++) {
          var record = new ProducerRecord<>("codec-" + codec, i % 2, FIRST_TIMESTAMP + i, i % 7 == 0 ? null : "key " + i,
              i % 11 == 0 ? null : ("value " + i + " ").repeat(i % 20));
          record.headers().add("number", Integer.toString(i).getBytes(StandardCharsets.UTF_8)).add("nothing", null);
          producer.send(record);
        }
      }
    }
    transactions(bootstrap);
    try (Producer<String, String> producer = producer(bootstrap, Map.of("compression.type", "lz4"))) {
      Random random = new Random(1);  // little for a codec to find, so that segments fill
      for (int i = 0; i < COMPACTED_RECORDS; i++) {
        byte[] noise = new byte[1000];
        random.nextBytes(noise);
        producer.send(new ProducerRecord<>("compacted", "key " + i % COMPACTED_KEYS, i + " " + Base64.getEncoder().encodeToString(noise)));
      }
    }
    commit(bootstrap, "readers", "codec-gzip", 123, "half way");
    commit(bootstrap, "others", "transactions", 7, "");
  }

  static void transactions(String bootstrap) throws Exception {
    var settings = Map.of("transactional.id", "records", "compression.type", "zstd");
    try (Producer<String, String> producer = producer(bootstrap, settings)) {
      producer.initTransactions();
      for (int round = 0; round < 5; round++) {
        producer.beginTransaction();
        for (int i = 0; i < 20; i++) producer.send(new ProducerRecord<>("transactions", i % 2, null, "round " + round, "value " + i));
        boolean commits = round % 2 == 0;
        producer.sendOffsetsToTransaction(Map.of(new TopicPartition("codec-none", 0), new OffsetAndMetadata(commits ? 10 + round : 99)),
            new ConsumerGroupMetadata("transactional readers"));
        if (commits) producer.commitTransaction();
        else {
          producer.flush();
          producer.abortTransaction();
        }
      }
    }
  }

  static void commit(String bootstrap, String group, String topic, long offset, String metadata) {
    try (var consumer = consumer(bootstrap, group)) {
      var partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      consumer.commitSync(Map.of(partition, new OffsetAndMetadata(offset, metadata)));
    }
  }

  static void read(String bootstrap, Admin admin) throws Exception {
    List<String> lines = new ArrayList<>();
    try (var consumer = consumer(bootstrap, null)) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (String topic : admin.listTopics().names().get())
        consumer.partitionsFor(topic).forEach(found -> partitions.add(new TopicPartition(found.topic(), found.partition())));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      var ends = consumer.endOffsets(partitions);
      consumer.beginningOffsets(partitions).forEach((partition, start) -> lines.add("bounds " + partition + " " + start + " " + ends.get(partition)));
      while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition)))
        for (var record : consumer.poll(Duration.ofMillis(500))) lines.add(line(record));
    }
    for (var group : admin.listConsumerGroups().all().get())
      admin.listConsumerGroupOffsets(group.groupId()).partitionsToOffsetAndMetadata().get().forEach((partition, committed) ->
          lines.add("committed " + group.groupId() + " " + partition + " " + committed.offset() + " " + committed.metadata()));
    Collections.sort(lines);
    System.out.println(String.join("\n", lines));
  }

  static String line(ConsumerRecord<String, String> record) {
    StringBuilder line = new StringBuilder("record " + record.topic() + "-" + record.partition() + "@" + record.offset() + " "
        + record.timestampType() + " " + record.timestamp() + " " + record.key() + " = " + record.value());
    record.headers().forEach(h -> line.append(" ").append(h.key()).append(":").append(h.value() == null ? null : new String(h.value(), StandardCharsets.UTF_8)));
    return line.toString();
  }

  static Producer<String, String> producer(String bootstrap, Map<String, String> more) {
    Map<String, Object> settings = new HashMap<>(more);
    settings.put("bootstrap.servers", bootstrap);
    return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
  }

  static KafkaConsumer<String, String> consumer(String bootstrap, String group) {
    Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "isolation.level", "read_committed", "enable.auto.commit", "false"));
    if (group != null) settings.put("group.id", group);
    return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
  }
}
