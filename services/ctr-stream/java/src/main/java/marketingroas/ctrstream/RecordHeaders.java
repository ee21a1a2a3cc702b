package marketingroas.ctrstream;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** The Kafka headers that are ours. Of a repeated header the last one counts. */
final class RecordHeaders {
    /** In a dead letter: how long the failed record's value is, which was too long to keep. */
    static final String VALUE_LEFT_OUT = "roas-value-left-out";

    private static final String HEARTBEAT = "roas-heartbeat";
    private static final String FOR_GROUP = "roas-for-group";
    private static final String REPLAY_OF = "roas-replay-of";
    private static final int MAX_CLOCK_DIGITS = 19;

    private RecordHeaders() {}

    /** Whether the record is meant for one consumer group, and not for this one. */
    static boolean isForAnotherGroup(Headers headers, byte[] group) {
        byte[] named = last(headers, FOR_GROUP);
        return named != null && named.length > 0 && !Arrays.equals(named, group);
    }

    /** The publisher's event clock, epoch milliseconds; -1 where there is none or it is no number. */
    static long heartbeat(Headers headers) {
        byte[] digits = last(headers, HEARTBEAT);
        if (digits == null || digits.length == 0 || digits.length > MAX_CLOCK_DIGITS) {
            return -1;
        }
        for (byte digit : digits) {
            if (digit < '0' || digit > '9') {
                return -1;
            }
        }
        try {
            return Long.parseLong(new String(digits, StandardCharsets.US_ASCII));
        } catch (NumberFormatException beyondLong) {
            return -1;
        }
    }

    /** The dead letter id that this record is a replay of, or null. */
    static String replayOf(Headers headers) {
        byte[] id = last(headers, REPLAY_OF);
        return id == null || id.length == 0 ? null : new String(id, StandardCharsets.UTF_8);
    }

    private static byte[] last(Headers headers, String name) {
        Header header = headers.lastHeader(name);
        return header == null ? null : header.value();
    }
}
