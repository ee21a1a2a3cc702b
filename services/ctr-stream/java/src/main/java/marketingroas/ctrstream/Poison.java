package marketingroas.ctrstream;

/**
 * A record breaks the rule table: it becomes a dead letter with this reason, never an error.
 *
 * <p>Carries no stack trace, for a stream of garbage must not cost more than a stream of events.
 */
public final class Poison extends Exception {
    private static final long serialVersionUID = 1L;

    /** Symbols of the contract's {@code DeadLetterReason} that a consumed record can earn. */
    public enum Reason {
        NULL_VALUE,
        NOT_WIRE_FORMAT,
        UNKNOWN_SCHEMA_ID,
        WRONG_RECORD_TYPE,
        UNDECODABLE,
        TRAILING_BYTES,
        EVENT_TIME_OUT_OF_BOUNDS,
        FOREIGN_CURRENCY,
        INVALID_FIELD
    }

    private final Reason reason;

    public Poison(Reason reason, String detail) {
        super(detail, null, false, false);
        this.reason = reason;
    }

    static Poison undecodable(String detail) {
        return new Poison(Reason.UNDECODABLE, detail);
    }

    public Reason reason() {
        return reason;
    }

    /** Where the record failed: reading its bytes, or judging what they say. */
    public String stage() {
        return reason.compareTo(Reason.TRAILING_BYTES) <= 0 ? "decode" : "validate";
    }
}
