package marketingroas.ctrstream;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The few columns of an event that the stream needs, as they lie in the record's bytes.
 *
 * <p>One instance is refilled for every record. Text is turned into a {@code String} only where
 * somebody asks for it.
 */
final class EventColumns {
    private final long[] numbers;
    private final int[] starts;
    private final int[] lengths;
    private final byte[][] sources;

    EventColumns(int count) {
        numbers = new long[count];
        starts = new int[count];
        lengths = new int[count];
        sources = new byte[count][];
    }

    void set(int column, AvroCursor cursor) {
        numbers[column] = cursor.number;
        starts[column] = cursor.start;
        lengths[column] = cursor.length;
        sources[column] = cursor.bytes();
    }

    /** A number that no writer sent: the reader's default. */
    void setNumber(int column, long value) {
        numbers[column] = value;
    }

    /** A text that no writer sent: the reader's default. */
    void setText(int column, byte[] utf8) {
        starts[column] = 0;
        lengths[column] = utf8.length;
        sources[column] = utf8;
    }

    long number(int column) {
        return numbers[column];
    }

    /** Size of a text in UTF-8 bytes. */
    int size(int column) {
        return lengths[column];
    }

    /** Whether a text has a NUL character, which no PostgreSQL text can hold. */
    boolean hasNul(int column) {
        byte[] source = sources[column];
        for (int i = starts[column], end = i + lengths[column]; i < end; i++) {
            if (source[i] == 0) {
                return true;
            }
        }
        return false;
    }

    boolean textEquals(int column, byte[] expected) {
        return Arrays.equals(
                sources[column],
                starts[column],
                starts[column] + lengths[column],
                expected,
                0,
                expected.length);
    }

    String text(int column) {
        return new String(
                sources[column], starts[column], lengths[column], StandardCharsets.UTF_8);
    }

    /** Hash of a text's bytes, for {@link Dimensions}' cache. */
    int textHash(int column) {
        int hash = 1;
        byte[] source = sources[column];
        for (int i = starts[column], end = i + lengths[column]; i < end; i++) {
            hash = 31 * hash + source[i];
        }
        return hash;
    }

    byte[] textBytes(int column) {
        return Arrays.copyOfRange(
                sources[column], starts[column], starts[column] + lengths[column]);
    }
}
