package marketingroas.ctrstream;

/** Partial sums of one minute and dimension value, on their way to the window's owner. */
public class WindowSums {
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
}
