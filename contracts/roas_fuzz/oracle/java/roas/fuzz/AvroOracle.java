package roas.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;

/**
 * Says what Apache Avro thinks of pairs of schemas.
 *
 * <p>Reads lines {@code [one, other]}, two texts, and answers each with a line
 * {@code {"refused": [reason or null, reason or null], "reads": [verdict, verdict]}}: what its parser
 * says of each text, and whether the first can read the second's data and the second the first's. A
 * verdict is a list of {@code [type, location, message]}, or the text of what was thrown; the verdicts
 * are missing where a text was refused.
 */
public final class AvroOracle {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Schemas nest deeply, and Avro calls itself for each level. */
    private static final long STACK_BYTES = 256L << 20;

    private AvroOracle() {}

    public static void main(String[] arguments) throws InterruptedException {
        Throwable[] failure = new Throwable[1];
        Thread worker = new Thread(null, () -> {
            try {
                answerAll();
            } catch (Throwable thrown) {
                failure[0] = thrown;
            }
        }, "oracle", STACK_BYTES);
        worker.start();
        worker.join();
        if (failure[0] != null) {
            failure[0].printStackTrace();
            System.exit(1);
        }
    }

    private static void answerAll() throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.write(JSON.writeValueAsString(answer(JSON.readTree(line))));
            out.write('\n');
            if (!in.ready()) {
                out.flush();
            }
        }
        out.flush();
    }

    private static ObjectNode answer(JsonNode pair) {
        ObjectNode answer = JSON.createObjectNode();
        ArrayNode refused = answer.putArray("refused");
        Schema[] schemas = new Schema[2];
        for (int i = 0; i < 2; i++) {
            try {
                schemas[i] = new Schema.Parser().parse(pair.get(i).textValue());
                refused.addNull();
            } catch (RuntimeException | StackOverflowError thrown) {
                refused.add(thrown.toString());
            }
        }
        if (schemas[0] != null && schemas[1] != null) {
            ArrayNode reads = answer.putArray("reads");
            addVerdict(reads, schemas[0], schemas[1]);
            addVerdict(reads, schemas[1], schemas[0]);
        }
        return answer;
    }

    private static void addVerdict(ArrayNode verdicts, Schema reader, Schema writer) {
        ArrayNode verdict = JSON.createArrayNode();
        try {
            SchemaCompatibility.checkReaderWriterCompatibility(reader, writer)
                .getResult()
                .getIncompatibilities()
                .forEach(found -> verdict.addArray()
                    .add(found.getType().name())
                    .add(found.getLocation())
                    .add(found.getMessage()));
            verdicts.add(verdict);
        } catch (RuntimeException | StackOverflowError thrown) {
            verdicts.add(thrown.toString());
        }
    }
}
