package marketingroas.ctrstream;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import org.apache.avro.Schema;

/**
 * One way to split the numbers, declared in the job: a name and the columns that make its value.
 *
 * <ul>
 *   <li>no column: everything together, {@code total:all}
 *   <li>a text or a number: {@code campaign:c17}, {@code banner_pos:1}
 *   <li>an enum and a text: {@code placement:site:85f751fd}, for ids are unique per kind only
 * </ul>
 */
public final class Dimension implements Serializable {
    private static final long serialVersionUID = 1L;

    private final String name;
    private final String[] columns;

    public Dimension(String name, String[] columns) {
        this.name = name;
        this.columns = columns.clone();
    }

    String[] columns() {
        return columns.clone();
    }

    /** Fits the dimension to one topic's reader schema. */
    Keys forSchema(Schema reader, List<String> kept) {
        if (columns.length == 0) {
            return new Keys(name + ":all");
        }
        Schema first = reader.getField(columns[0]).schema();
        int column = kept.indexOf(columns[0]);
        if (columns.length == 1 && first.getType() == Schema.Type.STRING) {
            return new Keys(column, new String[] {name + ":"});
        }
        if (columns.length == 1) {
            return new Keys(column, name + ":");
        }
        String[] prefixes =
                first.getEnumSymbols().stream()
                        .map(symbol -> name + ":" + symbol.toLowerCase(Locale.ROOT) + ":")
                        .toArray(String[]::new);
        return new Keys(kept.indexOf(columns[1]), column, prefixes);
    }

    /**
     * Makes {@code dimension:value} of an event's columns.
     *
     * <p>The same few values come again and again, so the strings are kept in a small cache that
     * forgets on collision: its size is fixed, whatever ids are thrown at it.
     */
    static final class Keys {
        private static final int SLOTS = 1 << 12;
        private static final int NO_COLUMN = -1;

        private final String constant;
        private final String numberPrefix;
        private final int column;
        private final int prefixColumn;
        private final String[] prefixes;
        private final String[] cached = new String[SLOTS];
        private final byte[][] cachedText = new byte[SLOTS][];
        private final long[] cachedNumber = new long[SLOTS];

        private Keys(String constant) {
            this(constant, null, NO_COLUMN, NO_COLUMN, null);
        }

        private Keys(int column, String numberPrefix) {
            this(null, numberPrefix, column, NO_COLUMN, null);
        }

        private Keys(int column, String[] prefixes) {
            this(null, null, column, NO_COLUMN, prefixes);
        }

        private Keys(int column, int prefixColumn, String[] prefixes) {
            this(null, null, column, prefixColumn, prefixes);
        }

        private Keys(
                String constant,
                String numberPrefix,
                int column,
                int prefixColumn,
                String[] prefixes) {
            this.constant = constant;
            this.numberPrefix = numberPrefix;
            this.column = column;
            this.prefixColumn = prefixColumn;
            this.prefixes = prefixes;
        }

        String of(EventColumns event) {
            if (constant != null) {
                return constant;
            }
            return numberPrefix != null ? numberKey(event.number(column)) : textKey(event);
        }

        private String numberKey(long number) {
            int slot = (int) (number ^ (number >>> 32)) & (SLOTS - 1);
            String key = cached[slot];
            if (key == null || cachedNumber[slot] != number) {
                key = numberPrefix + number;
                cached[slot] = key;
                cachedNumber[slot] = number;
            }
            return key;
        }

        private String textKey(EventColumns event) {
            int prefix = prefixColumn == NO_COLUMN ? 0 : (int) event.number(prefixColumn);
            int hash = event.textHash(column) * 31 + prefix;
            int slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
            String key = cached[slot];
            if (key == null
                    || cachedNumber[slot] != prefix
                    || !event.textEquals(column, cachedText[slot])) {
                key = prefixes[prefix] + event.text(column);
                cached[slot] = key;
                cachedNumber[slot] = prefix;
                cachedText[slot] = event.textBytes(column);
            }
            return key;
        }
    }
}
