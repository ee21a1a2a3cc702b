package marketingroas.ctrstream;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.avro.Schema;

/**
 * Writes deltas to one metrics topic; deltas of one series share a key and so a partition.
 *
 * <p>There is a delta for every third event or so, so the bytes are written field by field in the
 * schema's order, without a generic record between. A field that is not known here is written with
 * its default. A test holds the result against Avro's own reader.
 */
public final class MetricSerializer extends TopicSerializer<MetricDelta> {
    private static final long serialVersionUID = 1L;

    private final String currency;
    private final AvroEncoder encoder;
    private transient Field[] fields;
    private transient AvroBytes bytes;

    /** Writes one field of a delta. */
    private interface Field {
        void write(MetricDelta delta, byte[] key, AvroBytes bytes);
    }

    /**
     * @param currency the reporting currency of every amount
     */
    public MetricSerializer(String topic, String currency, AvroEncoder encoder) {
        super(topic);
        this.currency = currency;
        this.encoder = encoder;
    }

    @Override
    String key(MetricDelta delta) {
        return delta.key;
    }

    @Override
    byte[] value(MetricDelta delta, byte[] key) throws IOException {
        if (fields == null) {
            bytes = new AvroBytes();
            fields = fields();
        }
        bytes.begin(encoder.schemaId());
        for (Field field : fields) {
            field.write(delta, key, bytes);
        }
        return bytes.toByteArray();
    }

    private Field[] fields() throws IOException {
        List<Schema.Field> declared = encoder.schema().getFields();
        Field[] writers = new Field[declared.size()];
        for (Schema.Field field : declared) {
            writers[field.pos()] = field(field);
        }
        return writers;
    }

    private Field field(Schema.Field field) throws IOException {
        switch (field.name()) {
            case "dimension":
                return (delta, key, to) -> to.writeBytes(key, 0, colon(key));
            case "value":
                return (delta, key, to) ->
                        to.writeBytes(key, colon(key) + 1, key.length - colon(key) - 1);
            case "window_start":
                return (delta, key, to) -> to.writeLong(delta.windowStart);
            case "window_end":
                return (delta, key, to) -> to.writeLong(delta.windowEnd);
            case "kind":
                long onTime = field.schema().getEnumOrdinal("ON_TIME");
                long late = field.schema().getEnumOrdinal("LATE");
                return (delta, key, to) -> to.writeLong(delta.late ? late : onTime);
            case "impressions":
                return (delta, key, to) -> to.writeLong(delta.sums.impressions);
            case "clicks":
                return (delta, key, to) -> to.writeLong(delta.sums.clicks);
            case "conversions":
                return (delta, key, to) -> to.writeLong(delta.sums.conversions);
            case "cost_micros":
                return (delta, key, to) -> to.writeLong(delta.sums.costMicros);
            case "revenue_micros":
                return (delta, key, to) -> to.writeLong(delta.sums.revenueMicros);
            case "currency":
                byte[] code = currency.getBytes(StandardCharsets.UTF_8);
                return (delta, key, to) -> to.writeBytes(code, 0, code.length);
            case "emitted_at":
                return (delta, key, to) -> to.writeLong(delta.emittedAt);
            default:
                byte[] fixed = AvroEncoder.defaultOf(field);
                return (delta, key, to) -> to.append(fixed);
        }
    }

    /** Where the dimension's name ends. */
    private static int colon(byte[] key) {
        int at = 0;
        while (key[at] != ':') {
            at++;
        }
        return at;
    }
}
