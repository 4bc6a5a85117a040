import java.util.*;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.*;

/**
 * Kafka Streams' first example: reads lines, writes each word's count so far. Every word makes one record (no cache), so that a
 * word counted twice or not at all shows. Runs until SIGTERM.
 *
 *   WordCount BOOTSTRAP APPLICATION INPUT OUTPUT GUARANTEE STATE_FOLDER
 */
public class WordCount {
  public static void main(String[] arguments) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", arguments[0]);
    settings.put("application.id", arguments[1]);
    settings.put("processing.guarantee", arguments[4]);
    settings.put("state.dir", arguments[5]);
    settings.put("replication.factor", "1");
    settings.put("statestore.cache.max.bytes", "0");
    settings.put("commit.interval.ms", "200");
    settings.put("num.stream.threads", "2");
    settings.put(StreamsConfig.mainConsumerPrefix("auto.offset.reset"), "earliest");
    settings.put(StreamsConfig.mainConsumerPrefix("session.timeout.ms"), "6000");  // what a killed one is waited for

    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(arguments[2], Consumed.with(Serdes.String(), Serdes.String()))
        .flatMapValues(line -> Arrays.asList(line.toLowerCase(Locale.ROOT).split("\\W+")))
        .groupBy((key, word) -> word, Grouped.with(Serdes.String(), Serdes.String()))
        .count(Materialized.with(Serdes.String(), Serdes.Long()))
        .toStream()
        .mapValues(count -> Long.toString(count))
        .to(arguments[3], Produced.with(Serdes.String(), Serdes.String()));

    KafkaStreams streams = new KafkaStreams(builder.build(settings), settings);
    streams.setUncaughtExceptionHandler(problem -> {
      problem.printStackTrace();
      return StreamThreadExceptionResponse.SHUTDOWN_APPLICATION;
    });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }
}
