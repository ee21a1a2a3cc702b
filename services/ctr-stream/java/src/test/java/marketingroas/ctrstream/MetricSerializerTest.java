package marketingroas.ctrstream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

/** What is written by hand, read by Avro. */
class MetricSerializerTest {
    private static final String CONTRACT = Contracts.schema("ad-metrics-1m");

    @Test
    void avroReadsWhatWasWritten() throws Exception {
        ProducerRecord<byte[], byte[]> record = serialize(CONTRACT, delta("placement:site:é뉴", 5));

        GenericRecord read = read(CONTRACT, record.value());
        assertEquals("placement:site:é뉴", new String(record.key(), StandardCharsets.UTF_8));
        assertEquals("placement", read.get("dimension").toString());
        assertEquals("site:é뉴", read.get("value").toString());
        assertEquals(60_000L, read.get("window_start"));
        assertEquals(120_000L, read.get("window_end"));
        assertEquals("LATE", read.get("kind").toString());
        assertEquals(5L, read.get("impressions"));
        assertEquals(0L, read.get("clicks"));
        assertEquals(300L, read.get("conversions"));
        assertEquals(-1L, read.get("cost_micros"));
        assertEquals(Long.MAX_VALUE, read.get("revenue_micros"));
        assertEquals("USD", read.get("currency").toString());
        assertEquals(1_413_849_600_000L, read.get("emitted_at"));
    }

    @Test
    void nothingOfTheRecordBeforeIsLeft() throws Exception {
        MetricSerializer serializer = serializer(CONTRACT);
        serializer.serialize(delta("campaign:" + "x".repeat(5_000), 1), null, null);
        byte[] second = serializer.serialize(delta("total:all", 2), null, null).value();

        assertArrayEquals(serialize(CONTRACT, delta("total:all", 2)).value(), second);
    }

    @Test
    void aFieldOfALaterVersionIsWrittenWithItsDefault() throws Exception {
        String later =
                CONTRACT.replaceFirst(
                        "\\{\\s*\"name\": \"window_start\"",
                        "{\"name\": \"added\", \"type\": [\"null\", \"string\"],"
                                + " \"default\": null}, $0");
        GenericRecord read = read(later, serialize(later, delta("total:all", 7)).value());

        assertEquals(13, read.getSchema().getFields().size());
        assertEquals(null, read.get("added"));
        assertEquals(7L, read.get("impressions"));
    }

    @Test
    void partialSumsCrossTheNetworkUnchanged() throws Exception {
        WindowSums sent = new WindowSums("campaign:é", -60_000, delta("", 9).sums);
        DataOutputSerializer wire = new DataOutputSerializer(64);
        sent.write(wire);

        WindowSums received = new WindowSums();
        received.read(new DataInputDeserializer(wire.getCopyOfBuffer()));

        for (WindowSums same : Arrays.asList(received, sent.copy())) {
            assertEquals(sent.key, same.key);
            assertEquals(sent.windowStart, same.windowStart);
            assertEquals(9, same.sums.impressions);
            assertEquals(0, same.sums.clicks);
            assertEquals(300, same.sums.conversions);
            assertEquals(-1, same.sums.costMicros);
            assertEquals(Long.MAX_VALUE, same.sums.revenueMicros);
        }
    }

    private static MetricSerializer serializer(String schema) {
        return new MetricSerializer("ad-metrics-1m", "USD", new AvroEncoder(258, schema));
    }

    private static ProducerRecord<byte[], byte[]> serialize(String schema, MetricDelta delta) {
        return serializer(schema).serialize(delta, null, null);
    }

    private static MetricDelta delta(String key, long impressions) {
        MetricDelta delta = new MetricDelta();
        delta.key = key;
        delta.windowStart = 60_000;
        delta.windowEnd = 120_000;
        delta.late = true;
        delta.sums = new Sums();
        delta.sums.impressions = impressions;
        delta.sums.conversions = 300;
        delta.sums.costMicros = -1;
        delta.sums.revenueMicros = Long.MAX_VALUE;
        delta.emittedAt = 1_413_849_600_000L;
        return delta;
    }

    private static GenericRecord read(String schema, byte[] value) throws IOException {
        assertArrayEquals(new byte[] {0, 0, 0, 1, 2}, Arrays.copyOf(value, 5));
        BinaryDecoder decoder =
                DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, null);
        GenericRecord record =
                new GenericDatumReader<GenericRecord>(new Schema.Parser().parse(schema))
                        .read(null, decoder);
        assertEquals(true, decoder.isEnd());
        return record;
    }
}
