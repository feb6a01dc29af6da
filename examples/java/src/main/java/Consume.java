import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Prints the newest value of each key of a topic, read to its end, with nothing but the Kafka client
 * and Avro; where Confluent's KafkaAvroDeserializer is at hand, it does what {@link #decode} does.
 *
 * <p>Settings: KAFKA_BROKERS, SCHEMA_REGISTRY_URL.
 */
public final class Consume {
  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final Map<Integer, Schema> SCHEMAS = new HashMap<>();

  public static void main(String[] args) throws IOException, InterruptedException {
    String topic = args.length > 0 ? args[0] : "instagram.media";
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers", System.getenv("KAFKA_BROKERS"),
            // Records of a transaction that was aborted are never seen.
            "isolation.level", "read_committed",
            "enable.auto.commit", false);
    Map<String, GenericRecord> newest = new LinkedHashMap<>();
    try (var consumer =
        new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        for (var message : consumer.poll(Duration.ofSeconds(1))) {
          if (message.value() == null) newest.remove(message.key()); // a tombstone: it is gone
          else newest.put(message.key(), decode(message.value()));
        }
      }
    }
    newest.forEach((key, value) -> System.out.println(key + " " + value));
  }

  /** A zero byte, the schema's id as four bytes, the record. */
  private static GenericRecord decode(byte[] bytes) throws IOException, InterruptedException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    if (buffer.get() != 0) throw new IOException("not in the registry's wire format");
    Schema schema = schema(buffer.getInt());
    var decoder = DecoderFactory.get().binaryDecoder(bytes, 5, bytes.length - 5, null);
    return new GenericDatumReader<GenericRecord>(schema).read(null, decoder);
  }

  private static Schema schema(int id) throws IOException, InterruptedException {
    Schema known = SCHEMAS.get(id);
    if (known != null) return known;
    URI uri = URI.create(System.getenv("SCHEMA_REGISTRY_URL") + "/schemas/ids/" + id);
    HttpResponse<String> answer =
        HTTP.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) throw new IOException(uri + ": " + answer.body());
    String text = new ObjectMapper().readTree(answer.body()).get("schema").asText();
    Schema schema = new Schema.Parser().parse(text);
    SCHEMAS.put(id, schema);
    return schema;
  }

  private Consume() {}
}
