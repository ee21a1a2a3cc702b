package marketingroas.ctrstream;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * The rule table for one topic: what a record is, and if it is poison, why.
 *
 * <p>The rules are checked in the order of the table, and the first that fails gives the reason.
 * {@code roas_contracts.rules} is the same table for Python; the byte corpus in {@code
 * contracts/corpus} holds the two together.
 */
final class RecordRules {
    private static final int WIRE_HEADER = 5;

    private final RuleBounds bounds;
    private final EventTopic topic;
    private final SchemaRegistry registry;
    private final byte[] group;
    private final byte[] currency;
    private final Schema reader;
    private final List<String> columnNames;
    private final EventColumns columns;
    private final Dimension.Keys[] dimensions;
    private final int[] ids;
    private final int eventTime;
    private final int impressionTime;
    private final int cost;
    private final int revenue;
    private final int currencyColumn;
    private final int pricingModel;

    /** Which symbol of the reader's pricing models has this topic's events free. */
    private final int freeUnder;

    private final AvroCursor cursor = new AvroCursor();
    private final Map<Integer, EventPlan> plans = new HashMap<>();

    RecordRules(
            RuleBounds bounds,
            EventTopic topic,
            Dimension[] dimensions,
            SchemaRegistry registry) {
        this.bounds = bounds;
        this.topic = topic;
        this.registry = registry;
        this.group = bounds.group.getBytes(StandardCharsets.UTF_8);
        this.currency = bounds.currency.getBytes(StandardCharsets.UTF_8);
        this.reader = topic.reader();
        this.columnNames = topic.columns(dimensions);
        this.columns = new EventColumns(columnNames.size());
        this.dimensions = new Dimension.Keys[dimensions.length];
        for (int i = 0; i < dimensions.length; i++) {
            this.dimensions[i] = dimensions[i].forSchema(reader, columnNames);
        }
        this.ids = new int[topic.idColumns.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = columnNames.indexOf(topic.idColumns[i]);
        }
        this.eventTime = columnNames.indexOf(EventTopic.EVENT_TIME);
        this.currencyColumn = columnNames.indexOf(EventTopic.CURRENCY);
        this.impressionTime = column(topic.impressionTimeColumn);
        this.cost = column(topic.costColumn);
        this.revenue = column(topic.revenueColumn);
        this.pricingModel = topic.freeUnder == null ? -1 : column(EventTopic.PRICING_MODEL);
        this.freeUnder =
                pricingModel < 0
                        ? -1
                        : reader.getField(EventTopic.PRICING_MODEL)
                                .schema()
                                .getEnumOrdinal(topic.freeUnder);
    }

    /** Where a column is kept, -1 for a column that the topic does not have. */
    private int column(String name) {
        return name == null ? -1 : columnNames.indexOf(name);
    }

    /**
     * Decides what a record is and fills {@code into}. May wait for the registry.
     *
     * @param now wall clock, epoch milliseconds
     * @throws Poison the record is a dead letter
     * @throws InterruptedException the job was cancelled while it waited
     */
    void apply(ConsumerRecord<byte[], byte[]> record, long now, AdRecord into)
            throws Poison, InterruptedException {
        byte[] value = record.value();
        if (value == null) {
            into.eventTime = heartbeatOf(record, now);
            into.outcome = AdRecord.Outcome.HEARTBEAT;
            return;
        }
        if (RecordHeaders.isForAnotherGroup(record.headers(), group)) {
            into.outcome = AdRecord.Outcome.SKIPPED;
            return;
        }
        if (value.length < WIRE_HEADER || value[0] != 0) {
            throw new Poison(
                    Poison.Reason.NOT_WIRE_FORMAT,
                    value.length < WIRE_HEADER
                            ? value.length + " bytes are too few for a schema id"
                            : "the first byte is " + (value[0] & 0xFF) + ", not 0");
        }
        EventPlan plan = plan(ByteBuffer.wrap(value).getInt(1));
        cursor.reset(value, WIRE_HEADER);
        plan.read(cursor, columns);
        check(now);
        fill(into);
    }

    private long heartbeatOf(ConsumerRecord<byte[], byte[]> record, long now) throws Poison {
        long clock = RecordHeaders.heartbeat(record.headers());
        if (!bounds.isValidTime(clock, now)) {
            throw new Poison(
                    Poison.Reason.NULL_VALUE, "no value, and no heartbeat with a valid clock");
        }
        return clock;
    }

    private EventPlan plan(int schemaId) throws Poison, InterruptedException {
        EventPlan plan = plans.get(schemaId);
        if (plan == null) {
            Schema writer = registry.schema(schemaId, topic.subject());
            if (writer.getType() != Schema.Type.RECORD
                    || !writer.getFullName().equals(reader.getFullName())) {
                throw new Poison(
                        Poison.Reason.WRONG_RECORD_TYPE,
                        "schema " + schemaId + " is " + writer.getFullName());
            }
            plan = new EventPlan(writer, reader, columnNames);
            plans.put(schemaId, plan);
        }
        return plan;
    }

    private void check(long now) throws Poison {
        long time = columns.number(eventTime);
        if (!bounds.isValidTime(time, now)) {
            throw new Poison(Poison.Reason.EVENT_TIME_OUT_OF_BOUNDS, "event_time is " + time);
        }
        if (impressionTime >= 0) {
            long shown = columns.number(impressionTime);
            if (shown < bounds.minTime || shown > time) {
                throw new Poison(
                        Poison.Reason.EVENT_TIME_OUT_OF_BOUNDS,
                        topic.impressionTimeColumn + " is " + shown + ", event_time is " + time);
            }
        }
        if (!columns.textEquals(currencyColumn, currency)) {
            throw new Poison(
                    Poison.Reason.FOREIGN_CURRENCY,
                    "currency is not " + bounds.currency + ": " + columns.text(currencyColumn));
        }
        for (int id : ids) {
            int size = columns.size(id);
            if (size == 0 || size > bounds.maxIdBytes) {
                throw new Poison(
                        Poison.Reason.INVALID_FIELD,
                        columnNames.get(id) + " has " + size + " bytes");
            }
            if (columns.hasNul(id)) {
                throw new Poison(
                        Poison.Reason.INVALID_FIELD, columnNames.get(id) + " has a NUL character");
            }
        }
        checkMoney(cost);
        checkMoney(revenue);
        checkCharged();
    }

    private void checkMoney(int column) throws Poison {
        if (column >= 0) {
            long micros = columns.number(column);
            if (micros < 0 || micros > bounds.maxMicros) {
                throw new Poison(
                        Poison.Reason.INVALID_FIELD, columnNames.get(column) + " is " + micros);
            }
        }
    }

    private void checkCharged() throws Poison {
        if (pricingModel >= 0
                && columns.number(pricingModel) == freeUnder
                && columns.number(cost) != 0) {
            throw new Poison(
                    Poison.Reason.INVALID_FIELD,
                    topic.costColumn
                            + " is "
                            + columns.number(cost)
                            + " on an event that "
                            + topic.freeUnder
                            + " does not charge");
        }
    }

    private void fill(AdRecord into) {
        into.outcome = AdRecord.Outcome.EVENT;
        into.eventTime = columns.number(eventTime);
        into.measure = topic.measure;
        into.costMicros = cost < 0 ? 0 : columns.number(cost);
        into.revenueMicros = revenue < 0 ? 0 : columns.number(revenue);
        for (int i = 0; i < dimensions.length; i++) {
            into.keys[i] = dimensions[i].of(columns);
        }
    }
}
