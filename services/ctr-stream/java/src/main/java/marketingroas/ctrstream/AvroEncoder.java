package marketingroas.ctrstream;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.Serializable;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;

/** Writes records of one schema in Confluent wire format, under an id the registry gave before. */
public final class AvroEncoder implements Serializable {
    private static final long serialVersionUID = 1L;

    private final int schemaId;
    private final String schemaJson;
    private transient Schema schema;
    private transient GenericDatumWriter<GenericRecord> writer;
    private transient BinaryEncoder reused;

    public AvroEncoder(int schemaId, String schemaJson) {
        this.schemaId = schemaId;
        this.schemaJson = schemaJson;
    }

    int schemaId() {
        return schemaId;
    }

    Schema schema() {
        if (schema == null) {
            schema = new Schema.Parser().parse(schemaJson);
            writer = new GenericDatumWriter<>(schema);
        }
        return schema;
    }

    /** A field's default as it is written, without any header. */
    static byte[] defaultOf(Schema.Field field) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        Object value = GenericData.get().getDefaultValue(field);
        new GenericDatumWriter<>(field.schema()).write(value, encoder);
        return bytes.toByteArray();
    }

    byte[] encode(GenericRecord record) throws IOException {
        schema();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        DataOutputStream header = new DataOutputStream(bytes);
        header.writeByte(0);
        header.writeInt(schemaId);
        reused = EncoderFactory.get().binaryEncoder(bytes, reused);
        writer.write(record, reused);
        reused.flush();
        return bytes.toByteArray();
    }
}
