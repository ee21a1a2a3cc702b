package marketingroas.ctrstream;

import org.apache.flink.api.common.eventtime.TimestampAssigner;
import org.apache.flink.api.common.eventtime.TimestampAssignerSupplier;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.util.clock.RelativeClock;

/**
 * Event time of one partition: only events and heartbeats move it, and only they keep it awake.
 *
 * <p>A dead letter has no trustworthy time. If it counted as activity, a partition into which
 * somebody pours garbage would hold every window open.
 */
public final class EventClock implements WatermarkStrategy<AdRecord> {
    private static final long serialVersionUID = 1L;

    /**
     * A look at the clock counts for no more silence than this. While the whole task stands still
     * (it waits for the registry, the process is stopped) no partition can be heard, and none of
     * them is silent.
     */
    static final long LONGEST_LOOK_MILLIS = 1_000;

    private final long outOfOrderness;
    private final long idleAfter;

    /**
     * @param outOfOrdernessMillis how far an event may lag behind the newest of its partition
     * @param idleAfterMillis a partition silent for longer does not hold the others up
     */
    public EventClock(long outOfOrdernessMillis, long idleAfterMillis) {
        this.outOfOrderness = outOfOrdernessMillis;
        this.idleAfter = idleAfterMillis;
    }

    @Override
    public WatermarkGenerator<AdRecord> createWatermarkGenerator(
            WatermarkGeneratorSupplier.Context context) {
        return new Generator(outOfOrderness, idleAfter, context.getInputActivityClock());
    }

    @Override
    public TimestampAssigner<AdRecord> createTimestampAssigner(
            TimestampAssignerSupplier.Context context) {
        return (record, kafkaTime) -> record.advancesClock() ? record.eventTime : kafkaTime;
    }

    private static final class Generator implements WatermarkGenerator<AdRecord> {
        private final long outOfOrderness;
        private final long idleAfter;
        private final RelativeClock wallClock;

        private long newest;
        private boolean heard;
        private long looked;
        private long silence;

        Generator(long outOfOrderness, long idleAfter, RelativeClock wallClock) {
            this.outOfOrderness = outOfOrderness;
            this.idleAfter = idleAfter;
            this.wallClock = wallClock;
            newest = Long.MIN_VALUE + outOfOrderness + 1;
            looked = wallClock.relativeTimeMillis();
        }

        @Override
        public void onEvent(AdRecord record, long timestamp, WatermarkOutput output) {
            if (!record.advancesClock()) {
                return;
            }
            heard = true;
            newest = Math.max(newest, record.eventTime);
            if (record.outcome == AdRecord.Outcome.HEARTBEAT) {
                // At once, so that no checkpoint comes between the last heartbeat and the windows
                // that it closes: after a restart from there nothing would close them.
                tell(output);
            }
        }

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {
            long now = wallClock.relativeTimeMillis();
            silence = heard ? 0 : silence + Math.min(now - looked, LONGEST_LOOK_MILLIS);
            looked = now;
            heard = false;
            if (silence > idleAfter) {
                output.markIdle();
            } else {
                tell(output);
            }
        }

        private void tell(WatermarkOutput output) {
            output.emitWatermark(new Watermark(newest - outOfOrderness - 1));
        }
    }
}
