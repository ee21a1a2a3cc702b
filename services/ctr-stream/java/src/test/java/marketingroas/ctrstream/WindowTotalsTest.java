package marketingroas.ctrstream;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.util.OutputTag;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Windows, lateness and restarts, with a watermark and a wall clock that the test moves. */
class WindowTotalsTest {
    private static final long MINUTE = 60_000;
    private static final long FIVE = 5 * MINUTE;
    private static final OutputTag<MetricDelta> LONG_WINDOWS = new OutputTag<>("long") {};

    private KeyedOneInputStreamOperatorTestHarness<String, WindowSums, MetricDelta> harness;

    @BeforeEach
    void open() throws Exception {
        harness = harness();
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    @Test
    void aWindowClosesWhenTheWatermarkReachesItsLastMillisecond() throws Exception {
        sums("total:all", 0, 2);
        sums("total:all", 0, 3);
        harness.processWatermark(MINUTE - 2);
        assertEquals(List.of(), output());
        harness.processWatermark(MINUTE - 1);
        assertEquals(List.of("total:all 0-60000 ON_TIME 5"), output());
    }

    @Test
    void aLongWindowIsTheSumOfItsShortOnes() throws Exception {
        sums("total:all", 0, 1);
        sums("total:all", 3 * MINUTE, 10);
        sums("total:all", 4 * MINUTE, 100);
        sums("total:all", 5 * MINUTE, 1000);

        harness.processWatermark(FIVE - 1);

        assertEquals(
                List.of(
                        "total:all 0-300000 ON_TIME 111",
                        "total:all 0-60000 ON_TIME 1",
                        "total:all 180000-240000 ON_TIME 10",
                        "total:all 240000-300000 ON_TIME 100"),
                output());
    }

    @Test
    void oneWatermarkMayCloseManyWindowsOfManyKeys() throws Exception {
        for (long minute = 0; minute < 20; minute++) {
            sums("campaign:a", minute * MINUTE, 1);
            sums("campaign:b", minute * MINUTE, 1);
        }
        harness.processWatermark(24 * MINUTE);
        assertEquals(2 * 20 + 2 * 4, output().size());
    }

    @Test
    void lateSumsAreGatheredAndEmittedForBothWindows() throws Exception {
        harness.processWatermark(7 * MINUTE);
        sums("total:all", 0, 1);
        sums("total:all", MINUTE, 2);
        sums("total:all", MINUTE, 4);
        sums("total:all", 6 * MINUTE, 8);
        assertEquals(List.of(), output());

        harness.setProcessingTime(1_000);

        assertEquals(
                List.of(
                        "total:all 0-300000 LATE 7",
                        "total:all 0-60000 LATE 1",
                        "total:all 300000-600000 LATE 8",
                        "total:all 360000-420000 LATE 8",
                        "total:all 60000-120000 LATE 6"),
                output());
        harness.setProcessingTime(10_000);
        assertEquals(List.of(), output());
    }

    @Test
    void anOpenLongWindowDoesNotContainItsLateMinutes() throws Exception {
        sums("total:all", 0, 1);
        harness.processWatermark(MINUTE);
        sums("total:all", 0, 10);
        harness.setProcessingTime(1_000);
        harness.processWatermark(FIVE);
        assertEquals(
                List.of(
                        "total:all 0-300000 LATE 10",
                        "total:all 0-300000 ON_TIME 1",
                        "total:all 0-60000 LATE 10",
                        "total:all 0-60000 ON_TIME 1"),
                output());
    }

    @Test
    void theEndOfTheInputEmitsWhatIsLate() throws Exception {
        harness.processWatermark(MINUTE);
        sums("total:all", 0, 3);
        harness.processWatermark(Long.MAX_VALUE);
        assertEquals(
                List.of("total:all 0-300000 LATE 3", "total:all 0-60000 LATE 3"), output());
    }

    @Test
    void aRestartDoesNotOpenClosedWindowsAgain() throws Exception {
        sums("total:all", 0, 1);
        sums("total:all", MINUTE, 2);
        harness.processWatermark(MINUTE - 1);
        assertEquals(List.of("total:all 0-60000 ON_TIME 1"), output());
        restart();

        sums("total:all", 0, 10); // Its window is closed, though this operator has no watermark.
        sums("total:all", MINUTE, 20);
        harness.setProcessingTime(5_000);
        assertEquals(
                List.of("total:all 0-300000 LATE 10", "total:all 0-60000 LATE 10"), output());
        harness.processWatermark(FIVE - 1);
        assertEquals(
                List.of("total:all 0-300000 ON_TIME 23", "total:all 60000-120000 ON_TIME 22"),
                output());
    }

    @Test
    void lateSumsSurviveARestart() throws Exception {
        harness.processWatermark(MINUTE - 1);
        sums("total:all", 0, 10);
        restart();
        harness.setProcessingTime(5_000);
        assertEquals(
                List.of("total:all 0-300000 LATE 10", "total:all 0-60000 LATE 10"), output());
    }

    @Test
    void inASilenceTheLastWindowsCloseAtTheWallClocksPace() throws Exception {
        sums("total:all", 0, 1);
        sums("total:all", MINUTE, 2);
        harness.processWatermark(MINUTE - 2);
        harness.processWatermarkStatus(WatermarkStatus.IDLE);
        assertEquals(List.of("total:all 0-60000 ON_TIME 1"), output());

        passSeconds(59);
        assertEquals(List.of(), output());
        passSeconds(1);
        assertEquals(List.of("total:all 60000-120000 ON_TIME 2"), output());
        passSeconds(3 * 60);
        assertEquals(List.of("total:all 0-300000 ON_TIME 3"), output());
        assertEquals(0, harness.numEventTimeTimers());
    }

    @Test
    void whoPublishesLiveAndComesBackAfterASilenceIsOnTime() throws Exception {
        sums("total:all", 0, 1);
        harness.processWatermark(30_000);
        harness.processWatermarkStatus(WatermarkStatus.IDLE);
        passSeconds(80);
        harness.processWatermarkStatus(WatermarkStatus.ACTIVE);
        sums("total:all", MINUTE, 2);
        harness.processWatermark(40_000); // Of the partition that woke: the time is later already.
        passSeconds(1_000);
        harness.processWatermark(FIVE - 1);
        assertEquals(
                List.of(
                        "total:all 0-300000 ON_TIME 3",
                        "total:all 0-60000 ON_TIME 1",
                        "total:all 60000-120000 ON_TIME 2"),
                output());
    }

    @Test
    void aSilenceGoesNoFurtherThanTheLastWindow() throws Exception {
        sums("total:all", 0, 1);
        harness.processWatermarkStatus(WatermarkStatus.IDLE);
        passSeconds(10_000);
        harness.processWatermarkStatus(WatermarkStatus.ACTIVE);
        output();
        sums("total:all", FIVE, 2);
        harness.processWatermark(2 * FIVE);
        assertEquals(
                List.of(
                        "total:all 300000-360000 ON_TIME 2",
                        "total:all 300000-600000 ON_TIME 2"),
                output());
    }

    @Test
    void theLastWindowsCloseAlsoWhenAllWasReadBeforeARestart() throws Exception {
        sums("total:all", 2 * MINUTE, 1);
        harness.processWatermark(MINUTE);
        restart();
        harness.processWatermarkStatus(WatermarkStatus.IDLE);
        passSeconds(60);
        assertEquals(List.of("total:all 120000-180000 ON_TIME 1"), output());
        passSeconds(2 * 60);
        assertEquals(List.of("total:all 0-300000 ON_TIME 1"), output());
    }

    @Test
    void aSilenceBeforeTheFirstEventClosesNothing() throws Exception {
        harness.processWatermarkStatus(WatermarkStatus.IDLE);
        passSeconds(600);
        harness.processWatermarkStatus(WatermarkStatus.ACTIVE);
        sums("total:all", 0, 1);
        harness.processWatermark(MINUTE - 1);
        assertEquals(List.of("total:all 0-60000 ON_TIME 1"), output());
    }

    @Test
    void nothingIsLeftOfClosedWindows() throws Exception {
        sums("total:all", 0, 1);
        harness.processWatermark(FIVE);
        sums("total:all", 0, 1);
        harness.setProcessingTime(5_000);
        assertEquals(0, harness.numKeyedStateEntries());
        assertEquals(0, harness.numEventTimeTimers());
        assertEquals(0, harness.numProcessingTimeTimers());
    }

    private static KeyedOneInputStreamOperatorTestHarness<String, WindowSums, MetricDelta>
            harness() throws Exception {
        return new KeyedOneInputStreamOperatorTestHarness<>(
                new WindowTime(
                        new WindowTotals(MINUTE, FIVE, 1_000, "total:all", LONG_WINDOWS)),
                new WindowKey(),
                Types.STRING);
    }

    /** What a crash right after a checkpoint leaves. */
    private void restart() throws Exception {
        OperatorSubtaskState state = harness.snapshot(1, 1);
        harness.close();
        harness = harness();
        harness.initializeState(state);
        harness.open();
    }

    private void passSeconds(int seconds) throws Exception {
        for (int second = 0; second < seconds; second++) {
            harness.setProcessingTime(harness.getProcessingTime() + 1_000);
        }
    }

    private void sums(String key, long windowStart, long impressions) throws Exception {
        Sums sums = new Sums();
        sums.impressions = impressions;
        harness.processElement(new StreamRecord<>(new WindowSums(key, windowStart, sums)));
    }

    /** Deltas of both lengths since the last call, sorted. */
    private List<String> output() {
        List<String> lines = new ArrayList<>();
        harness.extractOutputValues().forEach(delta -> lines.add(text(delta)));
        harness.getOutput().clear();
        Collection<StreamRecord<MetricDelta>> side = harness.getSideOutput(LONG_WINDOWS);
        if (side != null) {
            side.forEach(record -> lines.add(text(record.getValue())));
            side.clear();
        }
        return lines.stream().sorted().toList();
    }

    private static String text(MetricDelta delta) {
        return String.format(
                "%s %d-%d %s %d",
                delta.key,
                delta.windowStart,
                delta.windowEnd,
                delta.late ? "LATE" : "ON_TIME",
                delta.sums.impressions);
    }
}
