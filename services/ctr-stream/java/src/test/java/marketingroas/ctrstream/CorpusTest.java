package marketingroas.ctrstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.Schema;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

/** The byte corpus that this decoder and the Python one must classify alike, case by case. */
class CorpusTest {
    private static final SchemaRegistry REGISTRY = Contracts.corpusRegistry();
    private static final Map<String, AdEventDeserializer> DESERIALIZERS = new HashMap<>();

    @Test
    void everyCaseIsClassifiedAsTheCorpusSays() throws IOException {
        List<String> wrong = new ArrayList<>();
        List<JsonNode> cases = cases();
        for (JsonNode one : cases) {
            String expected = expected(one.get("expect"));
            String got = outcome(judge(one));
            if (!got.equals(expected)) {
                wrong.add(one.get("name").asText() + ": expected " + expected + ", got " + got);
            }
        }
        assertTrue(cases.size() >= 400, "the corpus has shrunk to " + cases.size() + " cases");
        assertTrue(wrong.isEmpty(), wrong.size() + " cases differ:\n" + String.join("\n", wrong));
    }

    @Test
    void everyDeadLetterHoldsTheRecordByteForByte() throws IOException {
        Schema schema = new Schema.Parser().parse(Contracts.schema("dead-letters"));
        for (JsonNode one : cases()) {
            AdRecord record = judge(one);
            if (record.outcome != AdRecord.Outcome.DEAD) {
                continue;
            }
            byte[] value = record.deadLetter.value;
            GenericRecord letter =
                    new GenericDatumReader<GenericRecord>(schema)
                            .read(
                                    null,
                                    DecoderFactory.get()
                                            .binaryDecoder(value, 5, value.length - 5, null));
            String name = one.get("name").asText();
            assertEquals(
                    Optional.ofNullable(bytes(one.get("value_hex"))).map(HexFormat.of()::formatHex),
                    Optional.ofNullable((java.nio.ByteBuffer) letter.get("value"))
                            .map(java.nio.ByteBuffer::array)
                            .map(HexFormat.of()::formatHex),
                    name);
            assertEquals(
                    one.get("headers").size(), ((List<?>) letter.get("headers")).size(), name);
            assertEquals(record.deadLetter.id, letter.get("dead_letter_id").toString(), name);
            assertEquals(7L, letter.get("offset"), name);
            String detail = letter.get("detail").toString();
            assertTrue(detail.length() <= 512, name);
            assertFalse(detail.contains("defect"), name + ": " + detail);
        }
    }

    @Test
    void deadLetterIdsAreTheContractsIds() throws IOException {
        JsonNode vectors =
                Contracts.JSON.readTree(
                        Contracts.read(
                                Contracts.FOLDER.resolve("corpus/dead_letter_ids.json")));
        int checked = 0;
        for (JsonNode vector : vectors) {
            if (vector.get("origin_type").asText().equals("KAFKA")) {
                assertEquals(
                        vector.get("dead_letter_id").asText(),
                        DeadLetterEncoder.id(
                                vector.get("topic").asText(),
                                vector.get("partition").asInt(),
                                vector.get("offset").asLong(),
                                vector.get("consumer_group").asText()));
                checked++;
            }
        }
        assertTrue(checked > 0);
    }

    private static List<JsonNode> cases() throws IOException {
        List<JsonNode> cases = new ArrayList<>();
        String corpus = Contracts.read(Contracts.FOLDER.resolve("corpus/cases.jsonl"));
        for (String line : corpus.split("\n")) {
            cases.add(Contracts.JSON.readTree(line));
        }
        return cases;
    }

    private static AdRecord judge(JsonNode one) throws IOException {
        ConsumerRecord<byte[], byte[]> record =
                new ConsumerRecord<>(
                        one.get("topic").asText(),
                        1,
                        7,
                        123,
                        TimestampType.CREATE_TIME,
                        -1,
                        -1,
                        null,
                        bytes(one.get("value_hex")),
                        new org.apache.kafka.common.header.internals.RecordHeaders(),
                        Optional.empty());
        Headers headers = record.headers();
        for (JsonNode header : one.get("headers")) {
            headers.add(new RecordHeader(header.get(0).asText(), bytes(header.get(1))));
        }
        // One for all cases of a group, as in the job: nothing of a record may reach the next.
        String group = one.get("group").asText();
        int version = one.path("contracts_version").asInt(Contracts.NEWEST);
        return DESERIALIZERS
                .computeIfAbsent(
                        group + " " + version,
                        key -> Contracts.deserializer(group, version, REGISTRY))
                .judge(record, one.get("now_ms").asLong());
    }

    private static byte[] bytes(JsonNode hex) {
        return hex.isNull() ? null : HexFormat.of().parseHex(hex.asText());
    }

    private static String expected(JsonNode expect) {
        switch (expect.get("outcome").asText()) {
            case "DEAD":
                return "DEAD " + expect.get("reason").asText();
            case "SKIPPED":
                return "SKIPPED";
            case "HEARTBEAT":
                return "HEARTBEAT " + expect.get("event_time").asLong();
            default:
                return "EVENT " + expect.get("event_time").asLong() + fields(expect);
        }
    }

    /** What the corpus says about the columns that the stream keeps. */
    private static String fields(JsonNode expect) {
        JsonNode fields = expect.get("fields");
        String placement =
                fields.get("placement_type").asText().toLowerCase(Locale.ROOT)
                        + ":"
                        + fields.get("placement_id").asText();
        return String.join(
                " ",
                " total:all",
                "campaign:" + fields.get("campaign_id").asText(),
                "placement:" + placement,
                "banner_pos:" + fields.get("banner_pos").asInt(),
                "device_type:" + fields.get("device_type").asInt(),
                "cost " + fields.path("cost_micros").asLong(0),
                "revenue " + fields.path("revenue_micros").asLong(0));
    }

    private static String outcome(AdRecord record) {
        switch (record.outcome) {
            case DEAD:
                return "DEAD " + record.deadLetter.reason;
            case SKIPPED:
                return "SKIPPED";
            case HEARTBEAT:
                return "HEARTBEAT " + record.eventTime;
            default:
                return String.join(
                        " ",
                        "EVENT " + record.eventTime,
                        String.join(" ", record.keys),
                        "cost " + record.costMicros,
                        "revenue " + record.revenueMicros);
        }
    }
}
