package marketingroas.ctrstream;

/** An additive delta of one window and dimension value: a record of a metrics topic. */
public class MetricDelta {
    /** {@code dimension:value}, also the record's key. */
    public String key;

    /** Inclusive start and exclusive end, epoch milliseconds. */
    public long windowStart;

    public long windowEnd;

    /** Late: an event came after the minute had closed. */
    public boolean late;

    public Sums sums;

    /** Wall clock of the emission, epoch milliseconds. */
    public long emittedAt;
}
