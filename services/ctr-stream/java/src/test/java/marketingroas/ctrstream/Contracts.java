package marketingroas.ctrstream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.Schema;

/** The contracts and the job's declarations, as the tests need them. */
final class Contracts {
    /** Folder of the contracts: given by whoever runs the tests. */
    static final Path FOLDER = Path.of(System.getProperty("roas.contracts"));

    /** Stands for the newest version of every contract. */
    static final int NEWEST = Integer.MAX_VALUE;

    static final ObjectMapper JSON = new ObjectMapper();

    /** The same as {@code DIMENSIONS} in the job. */
    static final Dimension[] DIMENSIONS = {
        new Dimension("total", new String[] {}),
        new Dimension("campaign", new String[] {"campaign_id"}),
        new Dimension("placement", new String[] {"placement_type", "placement_id"}),
        new Dimension("banner_pos", new String[] {"banner_pos"}),
        new Dimension("device_type", new String[] {"device_type"}),
    };

    private Contracts() {}

    /** The newest version of a topic's schema. */
    static String schema(String topic) {
        return schema(topic, NEWEST);
    }

    /** A version of a topic's schema, or the newest one that is not later. */
    static String schema(String topic, int version) {
        Path folder = FOLDER.resolve("avro").resolve(topic);
        int number = 1;
        while (number < version && Files.exists(folder.resolve("v" + (number + 1) + ".avsc"))) {
            number++;
        }
        return read(folder.resolve("v" + number + ".avsc"));
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException missing) {
            throw new UncheckedIOException(missing);
        }
    }

    static RuleBounds bounds(String group) {
        return new RuleBounds(
                group, "USD", 1_262_304_000_000L, 600_000, 256, 1_000_000_000_000_000L);
    }

    /** The same as {@code TOPICS} in the job, with contracts up to a version. */
    static EventTopic[] topics(int version) {
        String[] impressionIds = {"event_id", "campaign_id", "placement_id"};
        String[] ids = {"event_id", "impression_id", "campaign_id", "placement_id"};
        return new EventTopic[] {
            new EventTopic(
                    "ad-impressions",
                    "IMPRESSION",
                    schema("ad-impressions", version),
                    impressionIds,
                    null,
                    "cost_micros",
                    null,
                    "CPC"),
            new EventTopic(
                    "ad-clicks",
                    "CLICK",
                    schema("ad-clicks", version),
                    ids,
                    "impression_time",
                    "cost_micros",
                    null,
                    "CPM"),
            new EventTopic(
                    "ad-conversions",
                    "CONVERSION",
                    schema("ad-conversions", version),
                    ids,
                    "impression_time",
                    null,
                    "revenue_micros",
                    null),
        };
    }

    /** The same as the job's, but for the largest dead letter. */
    static final int LARGEST_DEAD_LETTER = 1_000_000;

    static DeadLetterEncoder deadLetters(String group) {
        return new DeadLetterEncoder(
                group,
                "ctr-stream",
                "0.1.0",
                new AvroEncoder(6, schema("dead-letters")),
                LARGEST_DEAD_LETTER);
    }

    /** As the job makes it, with contracts up to a version. */
    static AdEventDeserializer deserializer(
            String group, int version, SchemaRegistry registry) {
        AdEventDeserializer deserializer =
                new AdEventDeserializer(
                        topics(version),
                        DIMENSIONS,
                        bounds(group),
                        "http://unused",
                        deadLetters(group));
        deserializer.open(registry);
        return deserializer;
    }

    /** The registry of the byte corpus: what is not in its file is unknown. */
    static SchemaRegistry corpusRegistry() {
        Map<Integer, String> schemas = new HashMap<>();
        try {
            JsonNode file = JSON.readTree(read(FOLDER.resolve("corpus").resolve("schemas.json")));
            file.fields()
                    .forEachRemaining(
                            entry ->
                                    schemas.put(
                                            Integer.valueOf(entry.getKey()),
                                            text(entry.getValue())));
        } catch (IOException notJson) {
            throw new UncheckedIOException(notJson);
        }
        return new SchemaRegistry("http://unused") {
            @Override
            Schema schema(int id, String ownSubject) throws Poison {
                if (!schemas.containsKey(id)) {
                    throw new Poison(Poison.Reason.UNKNOWN_SCHEMA_ID, "not in the corpus");
                }
                return new Schema.Parser().parse(schemas.get(id));
            }
        };
    }

    private static String text(JsonNode schema) {
        if (!schema.has("schema")) {
            return schema(schema.get("topic").asText(), schema.get("version").asInt());
        }
        JsonNode inline = schema.get("schema");
        return inline.isTextual() && inline.asText().startsWith("{")
                ? inline.asText()
                : inline.toString();
    }
}
