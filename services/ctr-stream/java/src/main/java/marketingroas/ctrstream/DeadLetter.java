package marketingroas.ctrstream;

/** A dead letter, ready to be sent. */
public class DeadLetter {
    /** The record's key: the same failure has the same id. */
    public String id;

    /** Symbol of the reason, for the counters. */
    public String reason;

    /** The dead-letters record in Confluent wire format. */
    public byte[] value;
}
