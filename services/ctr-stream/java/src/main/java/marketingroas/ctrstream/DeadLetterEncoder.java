package marketingroas.ctrstream;

import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
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

    /** More than everything in a dead letter but key, value and headers of the failed record. */
    private static final int OTHER_BYTES = 16_384;

    private static final int OTHER_BYTES_OF_A_HEADER = 20;

    /** Where the value is left out: key and headers that are larger are left out, too. */
    private static final int MAX_OTHER_BYTES_KEPT = 1_048_576;

    private static final int HASH_BYTES = 32;

    private final String group;
    private final String service;
    private final String version;
    private final AvroEncoder encoder;
    private final int largestBytes;

    /**
     * @param group consumer group that failed
     * @param service name of this service
     * @param version its version
     * @param encoder of the dead-letters topic
     * @param largestBytes of a dead letter: a record that is larger, which only packing made small
     *     enough for its own topic, is told of without its value
     */
    public DeadLetterEncoder(
            String group, String service, String version, AvroEncoder encoder, int largestBytes) {
        this.group = group;
        this.service = service;
        this.version = version;
        this.encoder = encoder;
        this.largestBytes = largestBytes;
    }

    DeadLetter encode(ConsumerRecord<byte[], byte[]> record, Poison poison, long now)
            throws IOException {
        DeadLetter letter = new DeadLetter();
        letter.id = id(record.topic(), record.partition(), record.offset(), group);
        letter.reason = poison.reason().name();
        GenericRecord avro = avro(letter.id, record, poison, now);
        if (bytes(record) > largestBytes - OTHER_BYTES) {
            leaveOut(record, poison, avro);
        }
        letter.value = encoder.encode(avro);
        return letter;
    }

    /**
     * The record stays where it is. Its position and hash tell which it was; the header tells
     * readers that its null is not the record's.
     */
    private static void leaveOut(
            ConsumerRecord<byte[], byte[]> record, Poison poison, GenericRecord letter) {
        letter.put("value", null);
        int length = record.value() == null ? 0 : record.value().length;
        if (bytes(record) - length > MAX_OTHER_BYTES_KEPT) {
            letter.put("key", null);
            ((List<?>) letter.get("headers")).clear();
        }
        @SuppressWarnings("unchecked")
        List<GenericRecord> headers = (List<GenericRecord>) letter.get("headers");
        Schema item = letter.getSchema().getField("headers").schema().getElementType();
        headers.add(header(item, RecordHeaders.VALUE_LEFT_OUT, ascii(length)));
        String hash = record.value() == null ? "none" : hex(sha256(record.value()), HASH_BYTES);
        letter.put(
                "detail",
                clip(
                        "its value of "
                                + length
                                + " bytes is left out (SHA-256 "
                                + hash
                                + "): "
                                + poison.getMessage()));
    }

    private static long bytes(ConsumerRecord<byte[], byte[]> record) {
        long bytes = length(record.key()) + length(record.value());
        for (Header header : record.headers()) {
            bytes += OTHER_BYTES_OF_A_HEADER + 4L * header.key().length() + length(header.value());
        }
        return bytes;
    }

    private static long length(byte[] bytes) {
        return bytes == null ? 0 : bytes.length;
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
            headers.add(header(item, header.key(), header.value()));
        }
        return headers;
    }

    private static GenericRecord header(Schema item, String name, byte[] value) {
        GenericRecord header = new GenericData.Record(item);
        header.put("name", name);
        header.put("value", wrap(value));
        return header;
    }

    private static byte[] ascii(int number) {
        return Integer.toString(number).getBytes(StandardCharsets.US_ASCII);
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
        return hex(sha256(origin.getBytes(StandardCharsets.UTF_8)), ID_BYTES);
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException everyJavaHasIt) {
            throw new IllegalStateException(everyJavaHasIt);
        }
    }

    private static String hex(byte[] bytes, int most) {
        return HexFormat.of().formatHex(bytes, 0, most);
    }
}
