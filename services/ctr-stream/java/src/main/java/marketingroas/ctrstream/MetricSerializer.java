package marketingroas.ctrstream;

import java.io.IOException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;

/** Writes deltas to one metrics topic; deltas of one series share a key and so a partition. */
public final class MetricSerializer extends TopicSerializer<MetricDelta> {
    private static final long serialVersionUID = 1L;

    private final String currency;
    private final AvroEncoder encoder;

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
    byte[] value(MetricDelta delta) throws IOException {
        return encoder.encode(avro(delta));
    }

    private GenericRecord avro(MetricDelta delta) {
        Schema schema = encoder.schema();
        int colon = delta.key.indexOf(':');
        GenericRecord metric = new GenericData.Record(schema);
        metric.put("dimension", delta.key.substring(0, colon));
        metric.put("value", delta.key.substring(colon + 1));
        metric.put("window_start", delta.windowStart);
        metric.put("window_end", delta.windowEnd);
        metric.put(
                "kind",
                new GenericData.EnumSymbol(
                        schema.getField("kind").schema(), delta.late ? "LATE" : "ON_TIME"));
        metric.put("impressions", delta.sums.impressions);
        metric.put("clicks", delta.sums.clicks);
        metric.put("conversions", delta.sums.conversions);
        metric.put("cost_micros", delta.sums.costMicros);
        metric.put("revenue_micros", delta.sums.revenueMicros);
        metric.put("currency", currency);
        metric.put("emitted_at", delta.emittedAt);
        return metric;
    }
}
