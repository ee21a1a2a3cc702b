package marketingroas.ctrstream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.Schema;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writer schemas by id, from a Confluent-compatible registry.
 *
 * <p>Blocks, on purpose. An id that the registry does not know is poison only while the registry
 * answers and still serves our own subject. Anything else (no connection, an error, an empty
 * registry) is an outage: it is waited out with growing pauses, which pauses consumption, and no
 * record becomes a dead letter for it. Ids seen before never ask again.
 */
class SchemaRegistry {
    private static final Logger LOG = LoggerFactory.getLogger(SchemaRegistry.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final long FIRST_PAUSE_MILLIS = 250;
    private static final long LONGEST_PAUSE_MILLIS = 5_000;
    private static final long UNKNOWN_FOR_NANOS = Duration.ofSeconds(1).toNanos();
    private static final int UNKNOWN_IDS_KEPT = 1_000;
    private static final int SCHEMA_NOT_FOUND = 40403;

    private final String url;
    private final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
    private final ObjectMapper json = new ObjectMapper();
    private final Map<Integer, Schema> known = new HashMap<>();

    /** When an id was last found to be unknown: a burst of one bad id asks once a second. */
    private final Map<Integer, Long> unknownSince = new HashMap<>();

    /**
     * @param url base of the Confluent API, such as {@code http://host:8080/apis/ccompat/v7}
     */
    SchemaRegistry(String url) {
        this.url = url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
    }

    /**
     * The schema with this id, once the registry can say.
     *
     * @param ownSubject a subject that an intact registry serves
     * @throws Poison UNKNOWN_SCHEMA_ID, or WRONG_RECORD_TYPE for a schema that is not Avro
     * @throws InterruptedException the job was cancelled meanwhile
     */
    Schema schema(int id, String ownSubject) throws Poison, InterruptedException {
        Schema schema = known.get(id);
        if (schema != null) {
            return schema;
        }
        Long since = unknownSince.get(id);
        if (since != null && System.nanoTime() - since < UNKNOWN_FOR_NANOS) {
            throw unknown(id);
        }
        for (long pause = FIRST_PAUSE_MILLIS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS)) {
            try {
                return ask(id, ownSubject);
            } catch (IOException outage) {
                LOG.warn(
                        "Consumption waits {} ms for the schema registry at {} (schema {}): {}",
                        pause,
                        url,
                        id,
                        outage.toString());
                Thread.sleep(pause);
            }
        }
    }

    private Schema ask(int id, String ownSubject) throws IOException, Poison, InterruptedException {
        if (id >= 0) { // No registry gives out a negative id: there is nothing to ask for.
            HttpResponse<String> answer = get("/schemas/ids/" + id);
            if (answer.statusCode() == 200) {
                Schema schema = parse(id, json.readTree(answer.body()));
                known.put(id, schema);
                return schema;
            }
            if (!saysNotFound(answer)) {
                throw new IOException("HTTP " + answer.statusCode() + " for schema " + id);
            }
        }
        int ours = get("/subjects/" + ownSubject + "/versions/latest").statusCode();
        if (ours != 200) {
            throw new IOException("it does not serve " + ownSubject + " (HTTP " + ours + ")");
        }
        if (unknownSince.size() >= UNKNOWN_IDS_KEPT) {
            unknownSince.clear();
        }
        unknownSince.put(id, System.nanoTime());
        throw unknown(id);
    }

    private boolean saysNotFound(HttpResponse<String> answer) {
        try {
            return answer.statusCode() == 404
                    && json.readTree(answer.body()).path("error_code").asInt() == SCHEMA_NOT_FOUND;
        } catch (JsonProcessingException someProxysPage) {
            return false;
        }
    }

    private static Poison unknown(int id) {
        return new Poison(
                Poison.Reason.UNKNOWN_SCHEMA_ID, "the registry does not know schema " + id);
    }

    private static Schema parse(int id, JsonNode answer) throws Poison {
        if (answer.path("schemaType").asText("AVRO").equals("AVRO")) {
            try {
                return new Schema.Parser().parse(answer.path("schema").asText());
            } catch (RuntimeException notAvro) {
                // Not only SchemaParseException: Avro's parser answers nonsense with whatever it
                // stumbles over.
                LOG.warn("Schema {} is not readable: {}", id, notAvro.toString());
            }
        }
        throw new Poison(
                Poison.Reason.WRONG_RECORD_TYPE, "schema " + id + " is no Avro schema of its own");
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(url + path)).timeout(TIMEOUT).GET().build();
        return http.send(request, HttpResponse.BodyHandlers.ofString());
    }
}
