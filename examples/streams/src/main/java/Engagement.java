import io.apicurio.registry.serde.avro.AvroSerde;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;

/** Publishes the followers of each account with the interactions of all its posts, as JSON. */
public final class Engagement {
  private static final String OUTPUT = "engagement";

  public static void main(String[] args) throws Exception {
    String prefix = args.length > 0 ? args[0] : "instagram";
    String users = prefix + ".users";
    String mediaInsights = prefix + ".media-insights";
    Properties settings = new Properties();
    settings.put("application.id", "engagement");
    settings.put("bootstrap.servers", System.getenv("KAFKA_BROKERS"));
    // Reads committed records only; commits results and offsets in one transaction.
    settings.put("processing.guarantee", "exactly_once_v2");
    prepareTopics(List.of(users, mediaInsights), settings);
    KafkaStreams streams = new KafkaStreams(topology(users, mediaInsights), settings);
    CountDownLatch failed = new CountDownLatch(1);
    streams.setStateListener(
        (state, previous) -> {
          if (state == KafkaStreams.State.ERROR) failed.countDown();
        });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
    // Ctrl-C ends the wait too.
    failed.await();
    System.exit(1);
  }

  private static Topology topology(String users, String mediaInsights) {
    StreamsBuilder builder = new StreamsBuilder();
    Consumed<String, GenericRecord> newest = Consumed.with(Serdes.String(), avro());
    // A new reading replaces the previous one of its post; a tombstone removes it from the sum.
    KTable<String, Long> interactions =
        builder
            .table(mediaInsights, newest)
            .groupBy(Engagement::byAccount, Grouped.with(Serdes.String(), Serdes.Long()))
            .reduce(
                Long::sum,
                (sum, replaced) -> sum - replaced,
                Materialized.with(Serdes.String(), Serdes.Long()));
    builder
        .table(users, newest)
        .join(interactions, Engagement::toJson)
        .toStream()
        .peek((account, json) -> System.out.println(account + " " + json))
        .to(OUTPUT, Produced.with(Serdes.String(), Serdes.String()));
    return builder.build();
  }

  private static KeyValue<String, Long> byAccount(String id, GenericRecord media) {
    // Null means that the API returned no value.
    Long interactions = (Long) media.get("total_interactions");
    return KeyValue.pair(
        media.get("business_account_id").toString(), interactions == null ? 0 : interactions);
  }

  private static String toJson(GenericRecord user, long interactions) {
    // A user name has letters, digits, dots and underscores only.
    Object username = user.get("username");
    return "{\"username\": %s, \"followers\": %s, \"interactions\": %d}"
        .formatted(
            username == null ? null : "\"" + username + "\"",
            user.get("followers_count"),
            interactions);
  }

  private static Serde<GenericRecord> avro() {
    // Apicurio's own API, beside the one that is compatible with Confluent's.
    URI url = URI.create(System.getenv("SCHEMA_REGISTRY_URL")).resolve("/apis/registry/v2");
    Serde<GenericRecord> serde = new AvroSerde<>();
    serde.configure(
        Map.of(
            "apicurio.registry.url", url.toString(),
            // Confluent's wire format: the id has four bytes.
            "apicurio.registry.id-handler", "io.apicurio.registry.serde.Legacy4ByteIdHandler",
            "apicurio.registry.use-id", "contentId",
            // The state stores are Avro too: their schemas are registered.
            "apicurio.registry.auto-register", true),
        false);
    return serde;
  }

  /**
   * Ends the program if an input is missing. Creates the output, because Kafka Streams creates its
   * internal topics only.
   */
  private static void prepareTopics(List<String> inputs, Properties settings) throws Exception {
    try (Admin admin = Admin.create(settings)) {
      Set<String> existing = admin.listTopics().names().get();
      for (String input : inputs) {
        if (!existing.contains(input)) {
          System.err.println(input + ": no such topic; check the name and KAFKA_BROKERS");
          System.exit(1);
        }
      }
      if (!existing.contains(OUTPUT)) {
        var topic = new NewTopic(OUTPUT, Optional.empty(), Optional.empty());
        admin.createTopics(List.of(topic.configs(Map.of("cleanup.policy", "compact")))).all().get();
      }
    }
  }

  private Engagement() {}
}
