package marketingroas.ctrstream;

import java.time.Duration;
import org.apache.flink.api.common.eventtime.BoundedOutOfOrdernessWatermarks;
import org.apache.flink.api.common.eventtime.TimestampAssigner;
import org.apache.flink.api.common.eventtime.TimestampAssignerSupplier;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.eventtime.WatermarksWithIdleness;

/**
 * Event time of one partition: only events and heartbeats move it, and only they keep it awake.
 *
 * <p>A dead letter has no trustworthy time. If it counted as activity, a partition into which
 * somebody pours garbage would hold every window open.
 */
public final class EventClock implements WatermarkStrategy<AdRecord> {
    private static final long serialVersionUID = 1L;

    private final Duration outOfOrderness;
    private final Duration idleAfter;

    /**
     * @param outOfOrdernessMillis how far an event may lag behind the newest of its partition
     * @param idleAfterMillis a partition silent for longer does not hold the others up
     */
    public EventClock(long outOfOrdernessMillis, long idleAfterMillis) {
        this.outOfOrderness = Duration.ofMillis(outOfOrdernessMillis);
        this.idleAfter = Duration.ofMillis(idleAfterMillis);
    }

    @Override
    public WatermarkGenerator<AdRecord> createWatermarkGenerator(
            WatermarkGeneratorSupplier.Context context) {
        return new Generator(
                new WatermarksWithIdleness<>(
                        new BoundedOutOfOrdernessWatermarks<>(outOfOrderness),
                        idleAfter,
                        context.getInputActivityClock()));
    }

    @Override
    public TimestampAssigner<AdRecord> createTimestampAssigner(
            TimestampAssignerSupplier.Context context) {
        return (record, kafkaTime) -> record.advancesClock() ? record.eventTime : kafkaTime;
    }

    private static final class Generator implements WatermarkGenerator<AdRecord> {
        private final WatermarkGenerator<AdRecord> clock;

        Generator(WatermarkGenerator<AdRecord> clock) {
            this.clock = clock;
        }

        @Override
        public void onEvent(AdRecord record, long timestamp, WatermarkOutput output) {
            if (record.advancesClock()) {
                clock.onEvent(record, timestamp, output);
            }
        }

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {
            clock.onPeriodicEmit(output);
        }
    }
}
