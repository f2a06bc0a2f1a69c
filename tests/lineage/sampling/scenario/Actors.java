import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.state.Stores;

/** The Java actors of the scenario: SERVERS MARK ACTOR..., each in a thread, until SIGTERM. */
public final class Actors {
  private static String servers;
  private static String mark;
  private static volatile boolean running = true;

  public static void main(String[] args) throws Exception {
    servers = args[0];
    mark = args[1];
    List<Thread> threads = new ArrayList<>();
    for (String actor : Arrays.copyOfRange(args, 2, args.length)) {
      Thread thread = new Thread(() -> act(actor), actor);
      threads.add(thread);
      thread.start();
    }
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      running = false;
      for (Thread thread : threads) {
        try {
          thread.join(5000);
        } catch (InterruptedException ended) {
          return;
        }
      }
    }));
    for (Thread thread : threads) thread.join();
  }

  private static void act(String actor) {
    try {
      switch (actor) {
        case "order-service" -> orderService();
        case "billing" -> billing();
        case "enricher" -> stream("enricher", "streams", "at_least_once", enricher());
        case "totals" -> stream("totals", "classic", "at_least_once", totals());
        case "mapper" -> stream("mapper", "classic", "exactly_once_v2", mapper());
        default -> throw new IllegalArgumentException(actor);
      }
    } catch (Exception error) {
      if (running) {
        error.printStackTrace();
        Runtime.getRuntime().halt(1);
      }
    }
  }

  private static String named(String name) {
    return name + "-" + mark;
  }

  private static Properties client(String id) {
    Properties made = new Properties();
    made.put("bootstrap.servers", servers);
    made.put("client.id", id);
    made.put("key.serializer", StringSerializer.class);
    made.put("value.serializer", StringSerializer.class);
    made.put("key.deserializer", StringDeserializer.class);
    made.put("value.deserializer", StringDeserializer.class);
    return made;
  }

  /** Java's default: idempotent. Every record says who wrote it. */
  private static void orderService() throws Exception {
    try (Producer<String, String> producer = new KafkaProducer<>(client("order-service"))) {
      for (int number = 0; running; number++) {
        ProducerRecord<String, String> it =
            new ProducerRecord<>(named("orders"), "" + number % 7, "" + number);
        it.headers().add("ce_source", named("order-service").getBytes(StandardCharsets.UTF_8));
        producer.send(it).get();
        Thread.sleep(40);
      }
    }
  }

  /** Consumes, transforms and produces in transactions: a classic group, one transactional id. */
  private static void billing() {
    Properties reading = client("billing");
    reading.put("group.id", named("g-billing"));
    reading.put("auto.offset.reset", "earliest");
    reading.put("enable.auto.commit", "false");
    reading.put("isolation.level", "read_committed");
    Properties writing = client("billing");
    writing.put("transactional.id", named("billing-tx-1"));
    try (Consumer<String, String> consumer = new KafkaConsumer<>(reading);
        Producer<String, String> producer = new KafkaProducer<>(writing)) {
      producer.initTransactions();
      consumer.subscribe(List.of(named("orders")));
      while (running) {
        ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(200));
        if (records.isEmpty()) continue;
        producer.beginTransaction();
        for (ConsumerRecord<String, String> it : records)
          producer.send(new ProducerRecord<>(named("invoices"), it.key(), it.value()));
        producer.sendOffsetsToTransaction(records.nextOffsets(), consumer.groupMetadata());
        producer.commitTransaction();
      }
    }
  }

  private static void stream(String name, String protocol, String guarantee, Topology topology)
      throws Exception {
    Properties settings = new Properties();
    settings.put("application.id", named(name));
    settings.put("bootstrap.servers", servers);
    settings.put("group.protocol", protocol);
    settings.put("processing.guarantee", guarantee);
    settings.put("commit.interval.ms", "300");
    settings.put("default.key.serde", Serdes.StringSerde.class);
    settings.put("default.value.serde", Serdes.StringSerde.class);
    settings.put("replication.factor", "1");
    settings.put("statestore.cache.max.bytes", "0");
    settings.put("state.dir", System.getProperty("state.dir"));
    settings.put("consumer.auto.offset.reset", "earliest");
    try (KafkaStreams streams = new KafkaStreams(topology, settings)) {
      streams.start();
      while (running) Thread.sleep(100);
      streams.close(Duration.ofSeconds(4));
    }
  }

  /** Joins re-keyed orders with a table; its sink is named by no request of the protocol. */
  private static Topology enricher() {
    StreamsBuilder builder = new StreamsBuilder();
    KTable<String, String> lookup =
        builder.table(
            named("lookup"), Materialized.as(Stores.inMemoryKeyValueStore("lookup-store")));
    builder.<String, String>stream(named("orders"))
        .selectKey((key, value) -> "" + Integer.parseInt(value) % 3)
        .repartition(Repartitioned.as("by-product"))
        .leftJoin(lookup, (order, found) -> order + ":" + found)
        .to(named("enriched"));
    return builder.build();
  }

  /** Counts invoices, by the protocol of classic groups. */
  private static Topology totals() {
    StreamsBuilder builder = new StreamsBuilder();
    builder.<String, String>stream(named("invoices"))
        .groupBy((key, value) -> "" + value.length())
        .count(
            Materialized.<String, Long>as(Stores.inMemoryKeyValueStore("counts"))
                .withKeySerde(Serdes.String())
                .withValueSerde(Serdes.Long()))
        .toStream()
        .mapValues(String::valueOf)
        .to(named("totals"));
    return builder.build();
  }

  /** Neither repartitions nor keeps state: only its commits give its producer ids a name. */
  private static Topology mapper() {
    StreamsBuilder builder = new StreamsBuilder();
    builder.<String, String>stream(named("shipments"))
        .mapValues(value -> value + "!")
        .to(named("mapped"));
    return builder.build();
  }
}
