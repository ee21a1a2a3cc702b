package marketingroas.ctrstream;

/**
 * One record of an event topic after the rule table: an event, a heartbeat, a record for another
 * group or a dead letter.
 *
 * <p>Flows from the source into the pre-aggregation of the same chain, which keeps nothing of it:
 * the deserializer uses one instance for all.
 */
public class AdRecord {
    /** What the rule table made of the record. */
    public enum Outcome {
        EVENT,
        HEARTBEAT,
        SKIPPED,
        DEAD
    }

    /** What an event adds to: one kind per topic. */
    public enum Measure {
        IMPRESSION,
        CLICK,
        CONVERSION
    }

    public Outcome outcome;

    /** Event time or heartbeat clock, epoch milliseconds; meaningless for the other outcomes. */
    public long eventTime;

    public Measure measure;
    public long costMicros;
    public long revenueMicros;

    /** {@code dimension:value} for each declared dimension. */
    public String[] keys;

    /** Set for {@link Outcome#DEAD} only. */
    public DeadLetter deadLetter;

    /** Whether the record tells the time: dead letters and skipped records must not. */
    boolean advancesClock() {
        return outcome == Outcome.EVENT || outcome == Outcome.HEARTBEAT;
    }
}
