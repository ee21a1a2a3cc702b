package marketingroas.ctrstream;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.apache.flink.connector.kafka.lineage.DefaultKafkaDatasetFacet;
import org.apache.flink.connector.kafka.lineage.DefaultKafkaDatasetIdentifier;
import org.apache.flink.connector.kafka.lineage.KafkaDatasetFacet;
import org.apache.flink.connector.kafka.lineage.KafkaDatasetFacetProvider;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Writes to one topic. The sink asks for the topic's name, to find transactions left open in it.
 *
 * <p>Records carry no timestamp: the client stamps the send time. Event time may lie years back,
 * and brokers delete and refuse by it.
 */
abstract class TopicSerializer<T>
        implements KafkaRecordSerializationSchema<T>, KafkaDatasetFacetProvider {
    private static final long serialVersionUID = 1L;

    private final String topic;

    TopicSerializer(String topic) {
        this.topic = topic;
    }

    abstract String key(T element);

    /** The record's value; {@code key} is its key in UTF-8. */
    abstract byte[] value(T element, byte[] key) throws IOException;

    @Override
    public final ProducerRecord<byte[], byte[]> serialize(
            T element, KafkaSinkContext context, Long ignoredEventTime) {
        try {
            byte[] key = key(element).getBytes(StandardCharsets.UTF_8);
            return new ProducerRecord<>(topic, key, value(element, key));
        } catch (IOException impossibleInMemory) {
            throw new UncheckedIOException(impossibleInMemory);
        }
    }

    @Override
    public final Optional<KafkaDatasetFacet> getKafkaDatasetFacet() {
        return Optional.of(
                new DefaultKafkaDatasetFacet(
                        DefaultKafkaDatasetIdentifier.ofTopics(List.of(topic))));
    }
}
