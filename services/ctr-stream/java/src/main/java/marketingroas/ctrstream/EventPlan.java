package marketingroas.ctrstream;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Resolver;
import org.apache.avro.Schema;

/**
 * How to read one event written with one writer schema: compiled once per schema id, run per event.
 *
 * <p>Walks the whole record under the writer schema, so that a corrupt byte anywhere is found, and
 * keeps only the columns asked for. What the reader schema makes of it (promotions, defaults, enum
 * defaults, branches that do not resolve) is Apache Avro's own {@link Resolver}'s decision.
 */
final class EventPlan {
    /** Walks one value; what it read last stays in the cursor. */
    private interface Walker {
        void walk(AvroCursor cursor) throws Poison;
    }

    private static final Walker NOTHING = cursor -> {};
    private static final int NOT_KEPT = -1;

    private final Walker[] walkers;
    private final int[] columnOfField;
    private final List<Default> defaults = new ArrayList<>();

    /** A column that the writer does not know. */
    private static final class Default {
        final int column;
        final Object value;

        Default(int column, Object value) {
            this.column = column;
            this.value = value;
        }
    }

    /**
     * @param columns reader field names to keep; a name's index is its column
     */
    EventPlan(Schema writer, Schema reader, List<String> columns) {
        Resolver.Action root = Resolver.resolve(Schema.applyAliases(writer, reader), reader);
        if (!(root instanceof Resolver.RecordAdjust)) {
            Walker refuse = new Compiler().compile(root);
            walkers = new Walker[] {refuse};
            columnOfField = new int[] {NOT_KEPT};
            return;
        }
        Resolver.RecordAdjust record = (Resolver.RecordAdjust) root;
        Compiler compiler = new Compiler();
        walkers = compiler.fields(record);
        columnOfField = new int[walkers.length];
        int known = 0;
        for (int i = 0; i < walkers.length; i++) {
            boolean skipped = record.fieldActions[i] instanceof Resolver.Skip;
            columnOfField[i] =
                    skipped ? NOT_KEPT : columns.indexOf(record.readerOrder[known++].name());
        }
        for (int i = record.firstDefault; i < record.readerOrder.length; i++) {
            Schema.Field field = record.readerOrder[i];
            int column = columns.indexOf(field.name());
            if (column != NOT_KEPT) {
                defaults.add(new Default(column, defaultOf(field)));
            }
        }
    }

    private static Object defaultOf(Schema.Field field) {
        Object value = field.defaultVal();
        if (field.schema().getType() == Schema.Type.ENUM) {
            return (long) field.schema().getEnumOrdinal((String) value);
        }
        if (value instanceof Number) {
            return ((Number) value).longValue();
        }
        return String.valueOf(value).getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Reads one record body.
     *
     * @throws Poison UNDECODABLE or TRAILING_BYTES
     */
    void read(AvroCursor cursor, EventColumns into) throws Poison {
        try {
            for (int i = 0; i < walkers.length; i++) {
                walkers[i].walk(cursor);
                if (columnOfField[i] != NOT_KEPT) {
                    into.set(columnOfField[i], cursor);
                }
            }
        } catch (StackOverflowError tooDeep) {
            throw Poison.undecodable("the record is nested too deeply");
        }
        if (cursor.left() > 0) {
            throw new Poison(
                    Poison.Reason.TRAILING_BYTES, cursor.left() + " bytes after the record");
        }
        for (Default missing : defaults) {
            if (missing.value instanceof Long) {
                into.setNumber(missing.column, (Long) missing.value);
            } else {
                into.setText(missing.column, (byte[]) missing.value);
            }
        }
    }

    /** Turns schemas and resolver actions into walkers. */
    private static final class Compiler {
        private final Map<Object, Walker[]> records = new IdentityHashMap<>();
        private final Map<String, Walker[]> skippedRecords = new HashMap<>();

        Walker[] fields(Resolver.RecordAdjust record) {
            Walker[] known = records.get(record);
            if (known != null) {
                return known;
            }
            Walker[] fields = new Walker[record.fieldActions.length];
            records.put(record, fields);
            for (int i = 0; i < fields.length; i++) {
                fields[i] = compile(record.fieldActions[i]);
            }
            return fields;
        }

        Walker compile(Resolver.Action action) {
            if (action instanceof Resolver.ErrorAction) {
                String why = ((Resolver.ErrorAction) action).toString();
                return cursor -> {
                    throw Poison.undecodable("does not resolve to the reader schema: " + why);
                };
            }
            if (action instanceof Resolver.RecordAdjust) {
                return all(fields((Resolver.RecordAdjust) action));
            }
            if (action instanceof Resolver.Container) {
                Resolver.Action element = ((Resolver.Container) action).elementAction;
                Walker item = compile(element);
                if (element instanceof Resolver.ErrorAction) {
                    return item;
                }
                return action.writer.getType() == Schema.Type.MAP ? map(item) : blocks(item);
            }
            if (action instanceof Resolver.EnumAdjust) {
                return enumeration(
                        action.writer.getEnumSymbols(),
                        ((Resolver.EnumAdjust) action).adjustments);
            }
            if (action instanceof Resolver.WriterUnion) {
                Resolver.Action[] branches = ((Resolver.WriterUnion) action).actions;
                Walker[] walkers = new Walker[branches.length];
                for (int i = 0; i < walkers.length; i++) {
                    walkers[i] = compile(branches[i]);
                }
                return union(walkers);
            }
            if (action instanceof Resolver.ReaderUnion) {
                return compile(((Resolver.ReaderUnion) action).actualAction);
            }
            if (action instanceof Resolver.Promote
                    && action.reader.getType() == Schema.Type.STRING) {
                return AvroCursor::readString;
            }
            return skip(action.writer);
        }

        /** Walks a value that the reader takes as it is, or not at all. */
        Walker skip(Schema schema) {
            switch (schema.getType()) {
                case NULL:
                    return NOTHING;
                case BOOLEAN:
                    return AvroCursor::readBoolean;
                case INT:
                    return AvroCursor::readInt;
                case LONG:
                    return AvroCursor::readLong;
                case FLOAT:
                    return cursor -> cursor.skip(Float.BYTES);
                case DOUBLE:
                    return cursor -> cursor.skip(Double.BYTES);
                case BYTES:
                    return AvroCursor::readBytes;
                case STRING:
                    return AvroCursor::readString;
                case FIXED:
                    int size = schema.getFixedSize();
                    return cursor -> cursor.skip(size);
                case ENUM:
                    return enumeration(schema.getEnumSymbols(), null);
                case ARRAY:
                    return blocks(skip(schema.getElementType()));
                case MAP:
                    return map(skip(schema.getValueType()));
                case UNION:
                    return union(skipAll(schema.getTypes()));
                default:
                    return record(schema);
            }
        }

        private Walker[] skipAll(List<Schema> schemas) {
            return schemas.stream().map(this::skip).toArray(Walker[]::new);
        }

        private Walker record(Schema schema) {
            Walker[] known = skippedRecords.get(schema.getFullName());
            if (known == null) {
                known = new Walker[schema.getFields().size()];
                skippedRecords.put(schema.getFullName(), known);
                for (Schema.Field field : schema.getFields()) {
                    known[field.pos()] = skip(field.schema());
                }
            }
            return all(known);
        }
    }

    private static Walker all(Walker[] walkers) {
        return cursor -> {
            for (Walker walker : walkers) {
                walker.walk(cursor);
            }
        };
    }

    private static Walker union(Walker[] branches) {
        return cursor -> branches[cursor.readIndex(branches.length, "union branch")].walk(cursor);
    }

    /** Leaves the reader's ordinal in the cursor; {@code adjustments} null keeps the writer's. */
    private static Walker enumeration(List<String> symbols, int[] adjustments) {
        return cursor -> {
            int index = cursor.readIndex(symbols.size(), "enum symbol");
            if (adjustments == null) {
                return;
            }
            if (adjustments[index] < 0) {
                throw Poison.undecodable(
                        "the reader has no symbol " + symbols.get(index) + " and no default");
            }
            cursor.number = adjustments[index];
        };
    }

    private static Walker map(Walker value) {
        return blocks(
                cursor -> {
                    cursor.readString();
                    value.walk(cursor);
                });
    }

    private static Walker blocks(Walker item) {
        return cursor -> {
            for (long count = cursor.readBlockCount(); count > 0; count = cursor.readBlockCount()) {
                for (long i = 0; i < count; i++) {
                    int before = cursor.position();
                    item.walk(cursor);
                    if (cursor.position() == before) {
                        // An item without bytes has none in the next copy either: a damaged count
                        // of such items must not keep the stream busy.
                        break;
                    }
                }
            }
        };
    }
}
