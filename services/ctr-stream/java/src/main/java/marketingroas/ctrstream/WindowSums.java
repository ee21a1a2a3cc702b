package marketingroas.ctrstream;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.types.CopyableValue;

/**
 * Partial sums of one minute and dimension value, on their way to the window's owner.
 *
 * <p>Never in a checkpoint: the pre-aggregation lets go of everything before a barrier. So it
 * writes itself to the network, which takes a third of what Flink's POJO serializer takes, and its
 * layout may change from one version to the next.
 */
public class WindowSums implements CopyableValue<WindowSums> {
    private static final long serialVersionUID = 1L;

    /** {@code dimension:value}. */
    public String key;

    /** Start of the minute, epoch milliseconds. */
    public long windowStart;

    public Sums sums;

    public WindowSums() {}

    WindowSums(String key, long windowStart, Sums sums) {
        this.key = key;
        this.windowStart = windowStart;
        this.sums = sums;
    }

    @Override
    public void write(DataOutputView out) throws IOException {
        byte[] text = key.getBytes(StandardCharsets.UTF_8);
        out.writeInt(text.length);
        out.write(text);
        out.writeLong(windowStart);
        out.writeLong(sums.impressions);
        out.writeLong(sums.clicks);
        out.writeLong(sums.conversions);
        out.writeLong(sums.costMicros);
        out.writeLong(sums.revenueMicros);
    }

    @Override
    public void read(DataInputView in) throws IOException {
        byte[] text = new byte[in.readInt()];
        in.readFully(text);
        key = new String(text, StandardCharsets.UTF_8);
        windowStart = in.readLong();
        sums = new Sums();
        sums.impressions = in.readLong();
        sums.clicks = in.readLong();
        sums.conversions = in.readLong();
        sums.costMicros = in.readLong();
        sums.revenueMicros = in.readLong();
    }

    /** Not of a fixed length. */
    @Override
    public int getBinaryLength() {
        return -1;
    }

    @Override
    public void copyTo(WindowSums target) {
        target.key = key;
        target.windowStart = windowStart;
        target.sums = new Sums();
        target.sums.add(sums);
    }

    @Override
    public WindowSums copy() {
        WindowSums copy = new WindowSums();
        copyTo(copy);
        return copy;
    }

    @Override
    public void copy(DataInputView source, DataOutputView target) throws IOException {
        WindowSums passing = new WindowSums();
        passing.read(source);
        passing.write(target);
    }
}
