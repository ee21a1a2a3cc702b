package marketingroas.ctrstream;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.ProcessingTimeService;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.util.OutputTag;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sums events per minute and dimension value before anything crosses the network.
 *
 * <p>Runs in the source's chain and has no state: what it holds goes out
 *
 * <ul>
 *   <li>before a watermark that closes its minute, so that no event turns late by being held,
 *   <li>before the source is marked idle, for the time may then go on without it,
 *   <li>before a checkpoint barrier, so that source offsets and sums belong to the same instant,
 *   <li>when it has become too large, and at the end of the input.
 * </ul>
 *
 * <p>It does not ask whether an event is late: only the owner of the windows can know.
 *
 * <p>After a silence it lets time stand still for a moment. Idle partitions wake one by one, and an
 * idle partition holds nobody up: the first to wake would set the time alone, and close windows
 * whose events the others are about to deliver.
 */
public final class WindowPreAggregation extends AbstractStreamOperator<WindowSums>
        implements OneInputStreamOperator<AdRecord, WindowSums> {
    private static final long serialVersionUID = 1L;
    private static final Logger LOG = LoggerFactory.getLogger(WindowPreAggregation.class);

    private final long windowMillis;
    private final int maxBuffered;
    private final long wakingMillis;
    private final OutputTag<DeadLetter> deadLetters;

    private transient TreeMap<Long, Map<String, Sums>> windows;
    private transient int buffered;
    private transient boolean idle;
    private transient boolean waking;
    private transient Watermark held;
    private transient Counter events;
    private transient Counter heartbeats;
    private transient Counter skipped;
    private transient Map<Poison.Reason, Counter> dead;

    /**
     * @param windowMillis length of the smallest window
     * @param maxBuffered sums held at most
     * @param wakingMillis how long time stands still after all partitions here were idle
     * @param deadLetters side output
     */
    public WindowPreAggregation(
            long windowMillis,
            int maxBuffered,
            long wakingMillis,
            OutputTag<DeadLetter> deadLetters) {
        this.windowMillis = windowMillis;
        this.maxBuffered = maxBuffered;
        this.wakingMillis = wakingMillis;
        this.deadLetters = deadLetters;
    }

    @Override
    public void open() throws Exception {
        super.open();
        windows = new TreeMap<>();
        buffered = 0;
        MetricGroup metrics = getMetricGroup();
        events = metrics.counter("events");
        heartbeats = metrics.counter("heartbeats");
        skipped = metrics.counter("skipped");
        dead = new EnumMap<>(Poison.Reason.class);
        for (Poison.Reason reason : Poison.Reason.values()) {
            dead.put(reason, metrics.addGroup("reason", reason.name()).counter("deadLetters"));
        }
    }

    @Override
    public void processElement(StreamRecord<AdRecord> element) {
        AdRecord record = element.getValue();
        switch (record.outcome) {
            case EVENT:
                events.inc();
                add(record);
                break;
            case HEARTBEAT:
                heartbeats.inc();
                break;
            case SKIPPED:
                skipped.inc();
                break;
            default:
                dead.get(Poison.Reason.valueOf(record.deadLetter.reason)).inc();
                output.collect(deadLetters, new StreamRecord<>(record.deadLetter));
        }
    }

    private void add(AdRecord event) {
        long start = Math.floorDiv(event.eventTime, windowMillis) * windowMillis;
        Map<String, Sums> window = windows.get(start);
        if (window == null) {
            window = new HashMap<>();
            windows.put(start, window);
        }
        int before = window.size();
        for (String key : event.keys) {
            Sums sums = window.get(key);
            if (sums == null) {
                sums = new Sums();
                window.put(key, sums);
            }
            sums.add(event);
        }
        buffered += window.size() - before;
        if (buffered > maxBuffered) {
            flushUpTo(Long.MAX_VALUE);
        }
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        held = mark;
        if (!waking || mark.equals(Watermark.MAX_WATERMARK)) {
            passOn();
        }
    }

    @Override
    public void processWatermarkStatus(WatermarkStatus status) throws Exception {
        if (status.isIdle()) {
            awake();
            flushUpTo(Long.MAX_VALUE);
        } else if (idle) {
            waking = true;
            LOG.info("Time stands still for {} ms, as after a silence", wakingMillis);
            ProcessingTimeService timers = getProcessingTimeService();
            timers.registerTimer(
                    timers.getCurrentProcessingTime() + wakingMillis, time -> awake());
        }
        idle = status.isIdle();
        super.processWatermarkStatus(status);
    }

    private void awake() throws Exception {
        waking = false;
        passOn();
    }

    private void passOn() throws Exception {
        if (held != null) {
            flushUpTo(held.getTimestamp());
            super.processWatermark(held);
            held = null;
        }
    }

    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) {
        flushUpTo(Long.MAX_VALUE);
    }

    @Override
    public void finish() throws Exception {
        flushUpTo(Long.MAX_VALUE);
        super.finish();
    }

    /** Sends every window that a watermark of this time closes. */
    private void flushUpTo(long time) {
        while (!windows.isEmpty() && windows.firstKey() + windowMillis - 1 <= time) {
            Map.Entry<Long, Map<String, Sums>> window = windows.pollFirstEntry();
            buffered -= window.getValue().size();
            window.getValue()
                    .forEach(
                            (key, sums) ->
                                    output.collect(
                                            new StreamRecord<>(
                                                    new WindowSums(key, window.getKey(), sums))));
        }
    }
}
