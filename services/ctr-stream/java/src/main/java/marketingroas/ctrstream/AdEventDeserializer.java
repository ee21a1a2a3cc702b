package marketingroas.ctrstream;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns every Kafka record of the event topics into exactly one {@link AdRecord}.
 *
 * <p>It never throws for what a record holds: poison becomes a dead letter with the record's key,
 * value, headers, timestamp and position. It waits, and so pauses consumption, while the schema
 * registry can't say what an unknown schema id means.
 */
public final class AdEventDeserializer implements KafkaRecordDeserializationSchema<AdRecord> {
    private static final long serialVersionUID = 1L;
    private static final Logger LOG = LoggerFactory.getLogger(AdEventDeserializer.class);

    private final EventTopic[] topics;
    private final Dimension[] dimensions;
    private final RuleBounds bounds;
    private final String registryUrl;
    private final DeadLetterEncoder deadLetters;

    private transient Map<String, RecordRules> rules;
    private transient AdRecord reused;

    public AdEventDeserializer(
            EventTopic[] topics,
            Dimension[] dimensions,
            RuleBounds bounds,
            String registryUrl,
            DeadLetterEncoder deadLetters) {
        this.topics = topics.clone();
        this.dimensions = dimensions.clone();
        this.bounds = bounds;
        this.registryUrl = registryUrl;
        this.deadLetters = deadLetters;
    }

    @Override
    public void open(DeserializationSchema.InitializationContext context) {
        open(new SchemaRegistry(registryUrl));
    }

    void open(SchemaRegistry registry) {
        rules = new HashMap<>();
        for (EventTopic topic : topics) {
            rules.put(topic.topic, new RecordRules(bounds, topic, dimensions, registry));
        }
        reused = new AdRecord();
        reused.keys = new String[dimensions.length];
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<AdRecord> out)
            throws IOException {
        out.collect(judge(record, System.currentTimeMillis()));
    }

    /** The one reused record, filled. */
    AdRecord judge(ConsumerRecord<byte[], byte[]> record, long now) throws IOException {
        reused.deadLetter = null;
        try {
            rules.get(record.topic()).apply(record, now, reused);
        } catch (Poison poison) {
            bury(record, poison, now);
        } catch (RuntimeException defect) {
            // Ours, whatever it is. But a job that dies of a record dies of it again after every
            // restart; this way the record is kept, everybody can see it, and the others go on.
            LOG.error("A record broke the decoder: {}", position(record), defect);
            bury(record, Poison.undecodable("defect in the decoder: " + defect), now);
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("cancelled while waiting for the schema registry");
        }
        return reused;
    }

    private void bury(ConsumerRecord<byte[], byte[]> record, Poison poison, long now)
            throws IOException {
        reused.outcome = AdRecord.Outcome.DEAD;
        reused.deadLetter = deadLetters.encode(record, poison, now);
    }

    private static String position(ConsumerRecord<byte[], byte[]> record) {
        return record.topic() + "-" + record.partition() + "@" + record.offset();
    }

    @Override
    public TypeInformation<AdRecord> getProducedType() {
        return TypeInformation.of(AdRecord.class);
    }
}
