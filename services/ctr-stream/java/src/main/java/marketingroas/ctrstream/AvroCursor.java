package marketingroas.ctrstream;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Reads Avro primitives from a byte array and believes none of them.
 *
 * <p>Every length is checked against the bytes that are left before anything is read or allocated,
 * and every string against strict UTF-8. What was read last stays in {@link #number} or in {@link
 * #start} and {@link #length}, so that walking a record allocates nothing.
 */
final class AvroCursor {
    /** The last long, int, boolean or enum ordinal read. */
    long number;

    /** Where the last string or bytes began in {@link #bytes()}. */
    int start;

    /** How many bytes the last string or bytes had. */
    int length;

    private final CharsetDecoder strictUtf8 =
            StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT);

    private byte[] bytes = {};
    private int position;

    /** Starts over on another array; nothing of the record before survives. */
    void reset(byte[] source, int from) {
        bytes = source;
        position = from;
        number = 0;
        start = 0;
        length = 0;
    }

    byte[] bytes() {
        return bytes;
    }

    int position() {
        return position;
    }

    int left() {
        return bytes.length - position;
    }

    /** A zig-zag varint of at most ten bytes and 64 bits. */
    long readLong() throws Poison {
        long raw = 0;
        for (int shift = 0; shift < 70; shift += 7) {
            if (position >= bytes.length) {
                throw Poison.undecodable("the record ends inside a number");
            }
            int next = bytes[position++];
            if (shift == 63 && (next & 0xFE) != 0) {
                throw Poison.undecodable("a number is longer than 64 bits");
            }
            raw |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                number = (raw >>> 1) ^ -(raw & 1);
                return number;
            }
        }
        throw Poison.undecodable("a number is longer than ten bytes");
    }

    int readInt() throws Poison {
        long value = readLong();
        if (value != (int) value) {
            throw Poison.undecodable("an int is out of range: " + value);
        }
        return (int) value;
    }

    void readBoolean() throws Poison {
        if (position >= bytes.length) {
            throw Poison.undecodable("the record ends before a boolean");
        }
        int value = bytes[position++];
        if (value != 0 && value != 1) {
            throw Poison.undecodable("a boolean is neither 0 nor 1: " + value);
        }
        number = value;
    }

    /** Length-prefixed bytes: leaves {@link #start} and {@link #length}. */
    void readBytes() throws Poison {
        long size = readLong();
        if (size < 0) {
            throw Poison.undecodable("a negative length: " + size);
        }
        skip(size);
    }

    /** Exactly {@code size} bytes: leaves {@link #start} and {@link #length}. */
    void skip(long size) throws Poison {
        if (size > left()) {
            throw Poison.undecodable("a length of " + size + " with " + left() + " bytes left");
        }
        start = position;
        length = (int) size;
        position += length;
    }

    /** A string, checked to be UTF-8: leaves {@link #start} and {@link #length}. */
    void readString() throws Poison {
        readBytes();
        int end = start + length;
        for (int i = start; i < end; i++) {
            if (bytes[i] < 0) {
                checkUtf8();
                return;
            }
        }
    }

    private void checkUtf8() throws Poison {
        try {
            strictUtf8.reset().decode(ByteBuffer.wrap(bytes, start, length));
        } catch (CharacterCodingException notUtf8) {
            throw Poison.undecodable("a string is not UTF-8");
        }
    }

    /**
     * An index below {@code limit}, of a union branch or an enum symbol.
     *
     * @param what names the thing in the dead letter's detail
     */
    int readIndex(int limit, String what) throws Poison {
        long index = readLong();
        if (index < 0 || index >= limit) {
            throw Poison.undecodable(what + " " + index + " does not exist");
        }
        return (int) index;
    }

    /**
     * Items in the next block of an array or map, 0 behind the last.
     *
     * <p>A block's size in bytes, which comes with a negative count, must fit into what is left and
     * is otherwise not believed.
     */
    long readBlockCount() throws Poison {
        long count = readLong();
        if (count >= 0) {
            return count;
        }
        long size = readLong();
        if (size < 0 || size > left()) {
            throw Poison.undecodable("a block of " + size + " bytes with " + left() + " left");
        }
        if (count == Long.MIN_VALUE) {
            throw Poison.undecodable("a block count out of range");
        }
        return -count;
    }
}
