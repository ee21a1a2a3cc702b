package marketingroas.ctrstream;

import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;

/** Makes a dead letter of a failed record: everything the broker knew about it, byte for byte. */
public final class DeadLetterEncoder implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final int MAX_DETAIL = 512;
    private static final int ID_BYTES = 16;

    private final String group;
    private final String service;
    private final String version;
    private final AvroEncoder encoder;

    /**
     * @param group consumer group that failed
     * @param service name of this service
     * @param version its version
     * @param encoder of the dead-letters topic
     */
    public DeadLetterEncoder(String group, String service, String version, AvroEncoder encoder) {
        this.group = group;
        this.service = service;
        this.version = version;
        this.encoder = encoder;
    }

    DeadLetter encode(ConsumerRecord<byte[], byte[]> record, Poison poison, long now)
            throws IOException {
        DeadLetter letter = new DeadLetter();
        letter.id = id(record.topic(), record.partition(), record.offset(), group);
        letter.reason = poison.reason().name();
        letter.value = encoder.encode(avro(letter.id, record, poison, now));
        return letter;
    }

    private GenericRecord avro(
            String id, ConsumerRecord<byte[], byte[]> record, Poison poison, long now) {
        Schema schema = encoder.schema();
        GenericRecord letter = new GenericData.Record(schema);
        letter.put("dead_letter_id", id);
        letter.put("origin_type", symbol(schema, "origin_type", "KAFKA"));
        letter.put("topic", record.topic());
        letter.put("partition", record.partition());
        letter.put("offset", record.offset());
        letter.put("key", wrap(record.key()));
        letter.put("value", wrap(record.value()));
        letter.put("headers", headers(schema, record));
        if (record.timestampType() != TimestampType.NO_TIMESTAMP_TYPE) {
            boolean created = record.timestampType() == TimestampType.CREATE_TIME;
            letter.put("record_timestamp", record.timestamp());
            letter.put("timestamp_type", created ? "CREATE_TIME" : "LOG_APPEND_TIME");
        }
        letter.put("consumer_group", group);
        letter.put("service", service);
        letter.put("service_version", version);
        letter.put("stage", poison.stage());
        letter.put("reason", symbol(schema, "reason", poison.reason().name()));
        letter.put("detail", clip(poison.getMessage()));
        letter.put("schema_id", schemaId(record.value()));
        letter.put("first_failed_at", now);
        letter.put("failed_at", now);
        letter.put("attempts", 1);
        letter.put("replay_of", RecordHeaders.replayOf(record.headers()));
        return letter;
    }

    private static List<GenericRecord> headers(
            Schema schema, ConsumerRecord<byte[], byte[]> record) {
        Schema item = schema.getField("headers").schema().getElementType();
        List<GenericRecord> headers = new ArrayList<>();
        for (Header header : record.headers()) {
            GenericRecord copy = new GenericData.Record(item);
            copy.put("name", header.key());
            copy.put("value", wrap(header.value()));
            headers.add(copy);
        }
        return headers;
    }

    private static Object symbol(Schema schema, String field, String symbol) {
        return new GenericData.EnumSymbol(schema.getField(field).schema(), symbol);
    }

    private static ByteBuffer wrap(byte[] bytes) {
        return bytes == null ? null : ByteBuffer.wrap(bytes);
    }

    private static Integer schemaId(byte[] value) {
        boolean wireFormat = value != null && value.length >= 5 && value[0] == 0;
        return wireFormat ? ByteBuffer.wrap(value).getInt(1) : null;
    }

    private static String clip(String detail) {
        return detail.codePointCount(0, detail.length()) <= MAX_DETAIL
                ? detail
                : detail.substring(0, detail.offsetByCodePoints(0, MAX_DETAIL));
    }

    /** Same scheme as {@code roas_contracts.dead_letters}: the same failure has the same id. */
    static String id(String topic, int partition, long offset, String group) {
        String origin = String.join("\n", "KAFKA", topic, "" + partition, "" + offset, group);
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256")
                            .digest(origin.getBytes(StandardCharsets.UTF_8));
            StringBuilder hex = new StringBuilder(2 * ID_BYTES);
            for (int i = 0; i < ID_BYTES; i++) {
                hex.append(Character.forDigit((hash[i] >> 4) & 0xF, 16));
                hex.append(Character.forDigit(hash[i] & 0xF, 16));
            }
            return hex.toString();
        } catch (NoSuchAlgorithmException everyJavaHasIt) {
            throw new IllegalStateException(everyJavaHasIt);
        }
    }
}
