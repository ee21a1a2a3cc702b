package marketingroas.ctrstream;

import java.io.Serializable;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.avro.Schema;

/** One event topic, declared in the job: what it counts and which columns the rules look at. */
public final class EventTopic implements Serializable {
    private static final long serialVersionUID = 1L;

    static final String EVENT_TIME = "event_time";
    static final String CURRENCY = "currency";
    static final String PRICING_MODEL = "pricing_model";

    final String topic;
    final AdRecord.Measure measure;
    final String[] idColumns;
    final String impressionTimeColumn;
    final String costColumn;
    final String revenueColumn;
    final String freeUnder;
    private final String readerSchema;

    /**
     * @param measure name of an {@link AdRecord.Measure}
     * @param readerSchema the newest contract of the topic, Avro JSON
     * @param idColumns texts that must hold 1 to {@link RuleBounds#maxIdBytes} bytes
     * @param impressionTimeColumn a time that may not be after the event, or null
     * @param costColumn money that counts as cost, or null
     * @param revenueColumn money that counts as revenue, or null
     * @param freeUnder the pricing model under which an event must not carry a cost, or null; of
     *     no effect under a contract that has no pricing model yet
     */
    public EventTopic(
            String topic,
            String measure,
            String readerSchema,
            String[] idColumns,
            String impressionTimeColumn,
            String costColumn,
            String revenueColumn,
            String freeUnder) {
        this.topic = topic;
        this.measure = AdRecord.Measure.valueOf(measure);
        this.readerSchema = readerSchema;
        this.idColumns = idColumns.clone();
        this.impressionTimeColumn = impressionTimeColumn;
        this.costColumn = costColumn;
        this.revenueColumn = revenueColumn;
        this.freeUnder = freeUnder;
    }

    String subject() {
        return topic + "-value";
    }

    Schema reader() {
        return new Schema.Parser().parse(readerSchema);
    }

    /** Every column that the rules or a dimension look at. */
    List<String> columns(Dimension[] dimensions) {
        Set<String> columns = new LinkedHashSet<>(Arrays.asList(idColumns));
        columns.addAll(
                Arrays.asList(
                        EVENT_TIME, CURRENCY, impressionTimeColumn, costColumn, revenueColumn));
        for (Dimension dimension : dimensions) {
            columns.addAll(Arrays.asList(dimension.columns()));
        }
        if (freeUnder != null && reader().getField(PRICING_MODEL) != null) {
            columns.add(PRICING_MODEL);
        }
        columns.remove(null);
        return List.copyOf(columns);
    }
}
