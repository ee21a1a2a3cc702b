package marketingroas.ctrstream;

import java.io.Serializable;

/** The numbers in the rule table, declared in the job. */
public final class RuleBounds implements Serializable {
    private static final long serialVersionUID = 1L;

    /** Consumer group of this job: a record for another group is skipped. */
    final String group;

    /** The deployment's reporting currency, ISO 4217. */
    final String currency;

    /** Earliest valid time, epoch milliseconds. */
    final long minTime;

    /** How far a valid time may lie ahead of the wall clock, milliseconds. */
    final long maxAhead;

    /** Largest size of an id, UTF-8 bytes. */
    final int maxIdBytes;

    /** Largest amount of money in one event, micros. */
    final long maxMicros;

    public RuleBounds(
            String group,
            String currency,
            long minTime,
            long maxAhead,
            int maxIdBytes,
            long maxMicros) {
        this.group = group;
        this.currency = currency;
        this.minTime = minTime;
        this.maxAhead = maxAhead;
        this.maxIdBytes = maxIdBytes;
        this.maxMicros = maxMicros;
    }

    boolean isValidTime(long time, long now) {
        return time >= minTime && time <= now + maxAhead;
    }
}
