import io.apicurio.registry.serde.avro.AvroSerde;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
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
    Properties settings = new Properties();
    settings.put("application.id", "engagement");
    settings.put("bootstrap.servers", System.getenv("KAFKA_BROKERS"));
    // Reads committed records only; commits results and offsets in one transaction.
    settings.put("processing.guarantee", "exactly_once_v2");
    createOutput(settings);
    KafkaStreams streams = new KafkaStreams(topology(avro()), settings);
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }

  private static Topology topology(Serde<GenericRecord> avro) {
    StreamsBuilder builder = new StreamsBuilder();
    Consumed<String, GenericRecord> newest = Consumed.with(Serdes.String(), avro);
    // A new reading replaces the previous one of its post; a tombstone removes it from the sum.
    KTable<String, Long> interactions =
        builder
            .table("instagram.media-insights", newest)
            .groupBy(Engagement::byAccount, Grouped.with(Serdes.String(), Serdes.Long()))
            .reduce(
                Long::sum,
                (sum, replaced) -> sum - replaced,
                Materialized.with(Serdes.String(), Serdes.Long()));
    builder
        .table("instagram.users", newest)
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
    return "{\"username\": \"%s\", \"followers\": %s, \"interactions\": %d}"
        .formatted(user.get("username"), user.get("followers_count"), interactions);
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

  /** Creates the output topic if it is missing; Kafka Streams creates its internal topics only. */
  private static void createOutput(Properties settings) throws Exception {
    try (Admin admin = Admin.create(settings)) {
      if (!admin.listTopics().names().get().contains(OUTPUT)) {
        var topic = new NewTopic(OUTPUT, Optional.empty(), Optional.empty());
        admin.createTopics(List.of(topic.configs(Map.of("cleanup.policy", "compact")))).all().get();
      }
    }
  }

  private Engagement() {}
}
