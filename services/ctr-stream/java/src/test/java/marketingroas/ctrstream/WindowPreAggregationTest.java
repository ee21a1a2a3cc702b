package marketingroas.ctrstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.util.OutputTag;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When sums leave the source's chain: never after the watermark, status or barrier they precede. */
class WindowPreAggregationTest {
    private static final long MINUTE = 60_000;
    private static final long WAKING = 5_000;
    private static final OutputTag<DeadLetter> DEAD_LETTERS = new OutputTag<>("dead") {};

    private OneInputStreamOperatorTestHarness<AdRecord, WindowSums> harness;

    @BeforeEach
    void open() throws Exception {
        harness =
                new OneInputStreamOperatorTestHarness<>(
                        new WindowPreAggregation(MINUTE, 100, WAKING, DEAD_LETTERS));
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    @Test
    void sumsEventsPerMinuteAndKeyAndHoldsThem() throws Exception {
        event(10, "total:all", "campaign:a");
        event(59_999, "total:all", "campaign:b");
        event(60_000, "total:all", "campaign:a");
        assertEquals(List.of(), output());

        harness.prepareSnapshotPreBarrier(1);

        assertEquals(
                List.of(
                        "0 campaign:a 1",
                        "0 campaign:b 1",
                        "0 total:all 2",
                        "60000 campaign:a 1",
                        "60000 total:all 1"),
                sorted(output()));
    }

    @Test
    void aWatermarkThatClosesAMinuteFollowsItsSums() throws Exception {
        event(10, "total:all");
        event(60_010, "total:all");

        harness.processWatermark(59_998);
        assertEquals(List.of("watermark 59998"), output());
        harness.processWatermark(59_999);

        assertEquals(List.of("0 total:all 1", "watermark 59999"), output());
        harness.processWatermark(119_998);
        assertEquals(List.of("watermark 119998"), output());
    }

    @Test
    void everythingLeavesBeforeTheSourceIsIdle() throws Exception {
        event(10, "total:all");

        harness.processWatermarkStatus(WatermarkStatus.IDLE);

        assertEquals(List.of("0 total:all 1", "idle"), output());
        event(20, "total:all");
        harness.processWatermarkStatus(WatermarkStatus.ACTIVE);
        assertEquals(List.of("active"), output());
    }

    @Test
    void afterASilenceTimeStandsStillUntilTheOthersHaveWokenToo() throws Exception {
        harness.processWatermark(10);
        harness.processWatermarkStatus(WatermarkStatus.IDLE);
        harness.setProcessingTime(60_000);
        output();

        harness.processWatermarkStatus(WatermarkStatus.ACTIVE);
        event(5 * MINUTE, "first to wake");
        harness.processWatermark(4 * MINUTE);
        harness.setProcessingTime(60_000 + WAKING - 1);
        event(20, "last to wake");
        harness.processWatermark(5 * MINUTE);
        assertEquals(List.of("active"), output());

        harness.setProcessingTime(60_000 + WAKING);
        assertEquals(List.of("0 last to wake 1", "watermark 300000"), output());
        harness.processWatermark(6 * MINUTE);
        assertEquals(List.of("300000 first to wake 1", "watermark 360000"), output());
    }

    @Test
    void timeDoesNotStandStillAtTheStartOrAtTheEndOfTheInput() throws Exception {
        harness.processWatermarkStatus(WatermarkStatus.ACTIVE);
        harness.processWatermark(10);
        assertEquals(List.of("active", "watermark 10"), output());
        harness.processWatermarkStatus(WatermarkStatus.IDLE);
        harness.processWatermarkStatus(WatermarkStatus.ACTIVE);
        harness.processWatermark(Long.MAX_VALUE);
        assertEquals(List.of("idle", "active", "watermark " + Long.MAX_VALUE), output());
    }

    @Test
    void whatWasHeldComesBeforeTheNextSilence() throws Exception {
        harness.processWatermarkStatus(WatermarkStatus.IDLE);
        harness.processWatermarkStatus(WatermarkStatus.ACTIVE);
        event(10, "total:all");
        harness.processWatermark(5 * MINUTE);
        harness.processWatermarkStatus(WatermarkStatus.IDLE);
        assertEquals(
                List.of("idle", "active", "0 total:all 1", "watermark 300000", "idle"), output());
    }

    @Test
    void aLateEventGoesOutWithTheNextWatermarkOrBarrier() throws Exception {
        harness.processWatermark(10 * MINUTE);
        event(10, "total:all");
        harness.processWatermark(10 * MINUTE + 1);

        assertEquals(
                List.of("watermark 600000", "0 total:all 1", "watermark 600001"), output());
    }

    @Test
    void tooManySumsLeaveAtOnce() throws Exception {
        for (int i = 0; i <= 100; i++) {
            event(10, "campaign:" + i);
        }
        assertEquals(101, output().size());
        event(10, "campaign:1");
        assertEquals(List.of(), output());
    }

    @Test
    void theEndOfTheInputFlushes() throws Exception {
        event(10, "total:all");
        harness.getOperator().finish();
        assertEquals(List.of("0 total:all 1"), output());
    }

    @Test
    void negativeTimesFallIntoTheMinuteBeforeTheEpoch() throws Exception {
        event(-1, "total:all");
        harness.prepareSnapshotPreBarrier(1);
        assertEquals(List.of("-60000 total:all 1"), output());
    }

    @Test
    void deadLettersGoToTheSideAndNothingElseOfThemAnywhere() throws Exception {
        AdRecord dead = new AdRecord();
        dead.outcome = AdRecord.Outcome.DEAD;
        dead.deadLetter = new DeadLetter();
        dead.deadLetter.reason = "UNDECODABLE";
        harness.processElement(new StreamRecord<>(dead));
        for (AdRecord.Outcome outcome :
                List.of(AdRecord.Outcome.HEARTBEAT, AdRecord.Outcome.SKIPPED)) {
            AdRecord record = new AdRecord();
            record.outcome = outcome;
            harness.processElement(new StreamRecord<>(record));
        }

        harness.prepareSnapshotPreBarrier(1);

        assertEquals(List.of(), output());
        assertEquals(1, harness.getSideOutput(DEAD_LETTERS).size());
    }

    @Test
    void whatFlowsIsSerializedByFieldAndNeverByKryo() {
        for (Class<?> type : List.of(AdRecord.class, MetricDelta.class, Sums.class)) {
            assertTrue(
                    org.apache.flink.api.common.typeinfo.TypeInformation.of(type)
                            instanceof org.apache.flink.api.java.typeutils.PojoTypeInfo,
                    type + " is not a POJO for Flink");
        }
    }

    private void event(long time, String... keys) throws Exception {
        AdRecord event = new AdRecord();
        event.outcome = AdRecord.Outcome.EVENT;
        event.measure = AdRecord.Measure.IMPRESSION;
        event.eventTime = time;
        event.keys = keys;
        harness.processElement(new StreamRecord<>(event, time));
    }

    /** What has come out since the last call. */
    private List<String> output() {
        List<String> lines = new ArrayList<>();
        for (Object element : harness.getOutput()) {
            if (element instanceof Watermark) {
                lines.add("watermark " + ((Watermark) element).getTimestamp());
            } else if (element instanceof WatermarkStatus) {
                lines.add(((WatermarkStatus) element).isIdle() ? "idle" : "active");
            } else {
                WindowSums sums = (WindowSums) ((StreamRecord<?>) element).getValue();
                lines.add(sums.windowStart + " " + sums.key + " " + sums.sums.impressions);
            }
        }
        harness.getOutput().clear();
        return lines;
    }

    private static List<String> sorted(List<String> lines) {
        return lines.stream().sorted().toList();
    }
}
