package marketingroas.ctrstream;

import java.util.Arrays;

/** Writes one record after the other in Confluent wire format into a buffer that grows. */
final class AvroBytes {
    private static final int LONGEST_VARINT = 10;

    private byte[] buffer = new byte[256];
    private int length;

    /** Starts a record under a schema id. */
    void begin(int schemaId) {
        length = 0;
        buffer[length++] = 0;
        buffer[length++] = (byte) (schemaId >>> 24);
        buffer[length++] = (byte) (schemaId >>> 16);
        buffer[length++] = (byte) (schemaId >>> 8);
        buffer[length++] = (byte) schemaId;
    }

    /** A long, an int or an enum's ordinal. */
    void writeLong(long value) {
        require(LONGEST_VARINT);
        long rest = (value << 1) ^ (value >> 63);
        while ((rest & ~0x7FL) != 0) {
            buffer[length++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        buffer[length++] = (byte) rest;
    }

    /** Bytes, or a string's UTF-8, with their length in front. */
    void writeBytes(byte[] source, int start, int count) {
        writeLong(count);
        require(count);
        System.arraycopy(source, start, buffer, length, count);
        length += count;
    }

    /** Bytes as they are. */
    void append(byte[] encoded) {
        require(encoded.length);
        System.arraycopy(encoded, 0, buffer, length, encoded.length);
        length += encoded.length;
    }

    byte[] toByteArray() {
        return Arrays.copyOf(buffer, length);
    }

    private void require(int more) {
        if (length + more > buffer.length) {
            buffer = Arrays.copyOf(buffer, Math.max(2 * buffer.length, length + more));
        }
    }
}
