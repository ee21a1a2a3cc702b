package marketingroas.ctrstream;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.util.clock.ManualClock;
import org.apache.flink.util.clock.RelativeClock;
import org.junit.jupiter.api.Test;

/** What moves a partition's event time, and what keeps it awake. */
class EventClockTest {
    private final ManualClock wallClock = new ManualClock(Duration.ofHours(1).toNanos());
    private final List<String> seen = new ArrayList<>();
    private final WatermarkGenerator<AdRecord> clock =
            new EventClock(5_000, 60_000).createWatermarkGenerator(context());

    @Test
    void eventsAndHeartbeatsMoveItAndStayBehindByTheOutOfOrderness() {
        see(AdRecord.Outcome.EVENT, 100_000);
        see(AdRecord.Outcome.EVENT, 90_000);
        assertEquals(List.of("94999"), emitted());
        see(AdRecord.Outcome.HEARTBEAT, 200_000);
        see(AdRecord.Outcome.HEARTBEAT, 150_000);
        assertEquals(List.of("194999", "194999", "194999"), emitted());
    }

    @Test
    void deadLettersAndSkippedRecordsDoNotMoveIt() {
        see(AdRecord.Outcome.EVENT, 100_000);
        see(AdRecord.Outcome.DEAD, 999_999_999);
        see(AdRecord.Outcome.SKIPPED, 999_999_999);
        assertEquals(List.of("94999"), emitted());
    }

    @Test
    void aHeartbeatIsPassedOnAtOnceAndEventsWithTheNextLook() {
        see(AdRecord.Outcome.EVENT, 100_000);
        assertEquals(List.of(), seen);
        see(AdRecord.Outcome.HEARTBEAT, 110_000);
        assertEquals(List.of("104999"), seen);
    }

    @Test
    void aPartitionThatIsSilentForLongIsIdle() {
        see(AdRecord.Outcome.EVENT, 100_000);
        emitted();
        assertEquals("94999", lastAfterSeconds(60));
        assertEquals("idle", lastAfterSeconds(1));
        see(AdRecord.Outcome.HEARTBEAT, 110_000);
        assertEquals(List.of("104999", "104999"), emitted());
    }

    @Test
    void aTaskThatStoodStillDoesNotTakeItsPartitionsForSilent() {
        see(AdRecord.Outcome.EVENT, 100_000);
        emitted();
        wallClock.advanceTime(Duration.ofMinutes(10));
        assertEquals(List.of("94999"), emitted());
    }

    @Test
    void garbageDoesNotKeepAPartitionAwake() {
        see(AdRecord.Outcome.EVENT, 100_000);
        emitted();
        for (int second = 0; second <= 61; second++) {
            see(AdRecord.Outcome.DEAD, 0);
            clock.onPeriodicEmit(output);
            wallClock.advanceTime(Duration.ofSeconds(1));
        }
        assertEquals("idle", seen.get(seen.size() - 1));
    }

    /** A look each second; what the last one gave. */
    private String lastAfterSeconds(int seconds) {
        for (int second = 0; second < seconds; second++) {
            wallClock.advanceTime(Duration.ofSeconds(1));
            clock.onPeriodicEmit(output);
        }
        String last = seen.get(seen.size() - 1);
        seen.clear();
        return last;
    }

    private void see(AdRecord.Outcome outcome, long time) {
        AdRecord record = new AdRecord();
        record.outcome = outcome;
        record.eventTime = time;
        clock.onEvent(record, time, output);
    }

    private List<String> emitted() {
        clock.onPeriodicEmit(output);
        List<String> now = List.copyOf(seen);
        seen.clear();
        return now;
    }

    private final WatermarkOutput output =
            new WatermarkOutput() {
                @Override
                public void emitWatermark(Watermark watermark) {
                    seen.add("" + watermark.getTimestamp());
                }

                @Override
                public void markIdle() {
                    seen.add("idle");
                }

                @Override
                public void markActive() {
                    seen.add("active");
                }
            };

    private WatermarkGeneratorSupplier.Context context() {
        return new WatermarkGeneratorSupplier.Context() {
            @Override
            public MetricGroup getMetricGroup() {
                return new UnregisteredMetricsGroup();
            }

            @Override
            public RelativeClock getInputActivityClock() {
                return wallClock;
            }
        };
    }
}
