package marketingroas.ctrstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.avro.Schema;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Poison or outage: every way in which a registry can fail to give a schema.
 *
 * <p>A server of the test's own, for a real registry cannot be told to answer 503 or to lose one
 * subject between two requests. The integration tests use the real one.
 */
class SchemaRegistryTest {
    private static final String SCHEMA = "/schemas/ids/7";
    private static final String OURS = "/subjects/ad-clicks-value/versions/latest";
    private static final String UNKNOWN = "404 {\"error_code\":40403,\"message\":\"none\"}";
    private static final String A_SCHEMA = "200 {\"schema\":\"\\\"string\\\"\"}";

    private final Map<String, Deque<String>> answers = new ConcurrentHashMap<>();
    private final AtomicInteger requests = new AtomicInteger();
    private HttpServer server;
    private SchemaRegistry registry;

    @BeforeEach
    void start() throws IOException {
        server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext(
                "/",
                exchange -> {
                    requests.incrementAndGet();
                    Deque<String> script = answers.get(exchange.getRequestURI().getPath());
                    String answer = script.size() > 1 ? script.poll() : script.peek();
                    byte[] body = answer.substring(4).getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(
                            Integer.parseInt(answer.substring(0, 3)), body.length);
                    exchange.getResponseBody().write(body);
                    exchange.close();
                });
        server.start();
        registry = new SchemaRegistry("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void asksOncePerSchema() throws Exception {
        answer(SCHEMA, A_SCHEMA);
        Schema schema = registry.schema(7, "ad-clicks-value");
        assertEquals(Schema.Type.STRING, schema.getType());
        assertSame(schema, registry.schema(7, "ad-clicks-value"));
        assertEquals(1, requests.get());
    }

    @Test
    void anIdThatAnIntactRegistryDoesNotKnowIsPoison() {
        answer(SCHEMA, UNKNOWN);
        answer(OURS, "200 {}");
        assertEquals(Poison.Reason.UNKNOWN_SCHEMA_ID, poison(7));
    }

    @Test
    void aBurstOfOneUnknownIdAsksOnce() {
        answer(SCHEMA, UNKNOWN);
        answer(OURS, "200 {}");
        for (int i = 0; i < 100; i++) {
            assertEquals(Poison.Reason.UNKNOWN_SCHEMA_ID, poison(7));
        }
        assertTrue(requests.get() < 10, requests + " requests");
    }

    @Test
    void aNegativeIdIsPoisonOnceTheRegistryIsKnownToBeIntact() {
        answer(OURS, "404 {\"error_code\":40401}", "200 {}");
        assertEquals(Poison.Reason.UNKNOWN_SCHEMA_ID, poison(-1));
        assertEquals(2, requests.get());
    }

    @Test
    void whatIsNotAvroIsAnotherRecordType() {
        answer(SCHEMA, "200 {\"schemaType\":\"JSON\",\"schema\":\"{}\"}");
        assertEquals(Poison.Reason.WRONG_RECORD_TYPE, poison(7));
        answer(SCHEMA, "200 {\"schema\":\"\\\"some.Other\\\"\"}");
        assertEquals(Poison.Reason.WRONG_RECORD_TYPE, poison(7));
    }

    @Test
    void anErrorAProxysPageAndAWipedRegistryAreWaitedOut() throws Exception {
        answer(
                SCHEMA,
                "503 busy",
                "404 <html>no such page</html>",
                "404 {\"error_code\":40401}",
                "200 not json",
                UNKNOWN,
                A_SCHEMA);
        answer(OURS, "404 {\"error_code\":40401}");
        assertEquals(Schema.Type.STRING, registry.schema(7, "ad-clicks-value").getType());
        assertEquals(7, requests.get());
    }

    @Test
    void waitingEndsWhenTheJobIsCancelled() throws Exception {
        server.stop(0);
        Thread waiting =
                new Thread(
                        () ->
                                assertThrows(
                                        InterruptedException.class,
                                        () -> registry.schema(7, "ad-clicks-value")));
        Throwable[] failure = new Throwable[1];
        waiting.setUncaughtExceptionHandler((thread, error) -> failure[0] = error);
        waiting.start();
        waiting.join(600);
        assertTrue(waiting.isAlive(), "it should be waiting");
        waiting.interrupt();
        waiting.join(5_000);
        assertEquals(null, failure[0]);
        assertTrue(!waiting.isAlive());
    }

    private void answer(String path, String... script) {
        answers.put(path, new ArrayDeque<>(java.util.List.of(script)));
    }

    private Poison.Reason poison(int id) {
        return assertThrows(Poison.class, () -> registry.schema(id, "ad-clicks-value")).reason();
    }
}
