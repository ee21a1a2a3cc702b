package marketingroas.ctrstream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

/** A record that is larger than a dead letter may be is told of, and stops nobody. */
class DeadLetterEncoderTest {
    private static final int LARGEST = Contracts.LARGEST_DEAD_LETTER;
    private static final Schema SCHEMA =
            new Schema.Parser().parse(Contracts.schema("dead-letters"));

    @Test
    void whatFitsIsKeptByteForByte() throws IOException {
        byte[] value = new byte[LARGEST - 100_000];
        value[value.length - 1] = 7;
        GenericRecord letter = letter(new byte[] {1, 2}, value, new byte[] {3});
        assertArrayEquals(value, ((ByteBuffer) letter.get("value")).array());
        assertEquals(1, ((List<?>) letter.get("headers")).size());
    }

    @Test
    void aValueThatDoesNotFitIsLeftOutAndSaysSo() throws IOException {
        GenericRecord letter = letter(new byte[] {1, 2}, new byte[LARGEST], new byte[] {3});
        assertNull(letter.get("value"));
        assertArrayEquals(new byte[] {1, 2}, ((ByteBuffer) letter.get("key")).array());
        List<?> headers = (List<?>) letter.get("headers");
        assertEquals(2, headers.size());
        GenericRecord mark = (GenericRecord) headers.get(1);
        assertEquals("roas-value-left-out", mark.get("name").toString());
        byte[] length = ((ByteBuffer) mark.get("value")).array();
        assertEquals("" + LARGEST, new String(length, StandardCharsets.US_ASCII));
        String detail = letter.get("detail").toString();
        assertTrue(detail.startsWith("its value of 1000000 bytes is left out (SHA-256 d29751f2"), detail);
        assertTrue(detail.endsWith(": not ours"), detail);
    }

    @Test
    void evenHeadersThatDoNotFitStopNobody() throws IOException {
        GenericRecord letter = letter(new byte[] {1}, new byte[] {2}, new byte[2 * LARGEST]);
        assertNull(letter.get("value"));
        assertNull(letter.get("key"));
        assertEquals(1, ((List<?>) letter.get("headers")).size());
    }

    private static GenericRecord letter(byte[] key, byte[] value, byte[] header)
            throws IOException {
        RecordHeaders headers = new RecordHeaders();
        headers.add(new RecordHeader("trace", header));
        ConsumerRecord<byte[], byte[]> record =
                new ConsumerRecord<>(
                        "ad-clicks",
                        1,
                        7,
                        123,
                        TimestampType.CREATE_TIME,
                        -1,
                        -1,
                        key,
                        value,
                        headers,
                        Optional.empty());
        byte[] encoded =
                Contracts.deadLetters("ctr-stream")
                        .encode(record, new Poison(Poison.Reason.NOT_WIRE_FORMAT, "not ours"), 9)
                        .value;
        assertTrue(encoded.length <= LARGEST, encoded.length + " bytes");
        return new GenericDatumReader<GenericRecord>(SCHEMA)
                .read(null, DecoderFactory.get().binaryDecoder(encoded, 5, encoded.length - 5, null));
    }
}
