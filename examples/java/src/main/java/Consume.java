import io.apicurio.registry.serde.avro.AvroKafkaDeserializer;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Prints the newest value of each key of a topic, read to its end. */
public final class Consume {
  public static void main(String[] args) {
    String topic = args.length > 0 ? args[0] : "instagram.media";
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers", System.getenv("KAFKA_BROKERS"),
            "key.deserializer", StringDeserializer.class,
            "value.deserializer", AvroKafkaDeserializer.class,
            // Records of aborted transactions are skipped.
            "isolation.level", "read_committed",
            "enable.auto.commit", false,
            "allow.auto.create.topics", false,
            // Apicurio's own API, beside the one that is compatible with Confluent's.
            "apicurio.registry.url", apicurioUrl(System.getenv("SCHEMA_REGISTRY_URL")),
            // Confluent's wire format: the id has four bytes.
            "apicurio.registry.id-handler", "io.apicurio.registry.serde.Legacy4ByteIdHandler",
            "apicurio.registry.use-id", "contentId");
    newest(topic, settings).forEach((key, value) -> System.out.println(key + " " + value));
  }

  private static Map<String, GenericRecord> newest(String topic, Map<String, Object> settings) {
    Map<String, GenericRecord> newest = new LinkedHashMap<>();
    try (var consumer = new KafkaConsumer<String, GenericRecord>(settings)) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList();
      if (partitions.isEmpty()) {
        System.err.println(topic + ": no such topic; check the name and KAFKA_BROKERS");
        System.exit(1);
      }
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
        for (var message : consumer.poll(Duration.ofSeconds(1))) {
          // A record without a value is a tombstone: the key was deleted.
          if (message.value() == null) newest.remove(message.key());
          else newest.put(message.key(), message.value());
        }
      }
    }
    return newest;
  }

  private static String apicurioUrl(String registryUrl) {
    return URI.create(registryUrl).resolve("/apis/registry/v2").toString();
  }

  private Consume() {}
}
