package marketingroas.ctrstream;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.TimeDomain;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * Owns the windows: the one place that knows what is late.
 *
 * <p>Sums of an open short window are added up and emitted when the watermark closes it; long
 * windows are made of the short ones' results. Sums of a closed short window are late: they are
 * collected for about a second and emitted as LATE deltas of their short and their long window, so
 * nothing is dropped and no window is opened twice.
 *
 * <p>A restored operator has no watermark at first, so how far windows were closed is kept in union
 * list state: without it a restart would take a late event for the first of its window. {@link
 * WindowTime} says how far that is.
 */
public final class WindowTotals extends KeyedProcessFunction<String, WindowSums, MetricDelta>
        implements CheckpointedFunction {
    private static final long serialVersionUID = 1L;

    private static final TypeInformation<Sums> SUMS = TypeInformation.of(Sums.class);

    private final long shortMillis;
    private final long longMillis;
    private final long lateMillis;
    private final String countedKey;
    private final OutputTag<MetricDelta> longWindows;

    private transient MapState<Long, Sums> openShort;
    private transient MapState<Long, Sums> openLong;
    private transient MapState<Long, Sums> lateShort;
    private transient ListState<Long> closedThroughState;
    private transient long closedThrough;
    private transient ListState<Long> newestStartState;
    private transient long newestStart;
    private transient Counter late;

    /**
     * @param shortMillis length of a short window
     * @param longMillis length of a long window, a multiple of the short one's
     * @param lateMillis how long late sums are collected before they are emitted
     * @param countedKey the one {@code dimension:value} that every event has: counts late events
     * @param longWindows side output for the long windows' deltas; the short ones' go to the main
     */
    public WindowTotals(
            long shortMillis,
            long longMillis,
            long lateMillis,
            String countedKey,
            OutputTag<MetricDelta> longWindows) {
        if (longMillis % shortMillis != 0) {
            throw new IllegalArgumentException("a long window must hold whole short windows");
        }
        this.shortMillis = shortMillis;
        this.longMillis = longMillis;
        this.lateMillis = lateMillis;
        this.countedKey = countedKey;
        this.longWindows = longWindows;
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        closedThroughState = union(context, "closed-through");
        closedThrough = newest(closedThroughState);
        newestStartState = union(context, "newest-start");
        newestStart = newest(newestStartState);
    }

    private static ListState<Long> union(FunctionInitializationContext context, String name)
            throws Exception {
        return context.getOperatorStateStore()
                .getUnionListState(new ListStateDescriptor<>(name, Types.LONG));
    }

    private static long newest(ListState<Long> times) throws Exception {
        long newest = Long.MIN_VALUE;
        for (Long time : times.get()) {
            newest = Math.max(newest, time);
        }
        return newest;
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        closedThroughState.update(List.of(closedThrough));
        newestStartState.update(List.of(newestStart));
    }

    /** Windows up to this time are closed from now on, also after a restart. */
    void closeThrough(long time) {
        closedThrough = Math.max(closedThrough, time);
    }

    /** Up to where windows are closed; the least long before any is. */
    long closedThrough() {
        return closedThrough;
    }

    /** Start of the newest short window that there were sums of; the least long before any. */
    long newestStart() {
        return newestStart;
    }

    /** End of the newest long window that there were sums of; the least long before any. */
    long newestEnd() {
        return newestStart == Long.MIN_VALUE ? newestStart : longStart(newestStart) + longMillis;
    }

    @Override
    public void open(OpenContext context) {
        openShort = windows("open-short-windows");
        openLong = windows("open-long-windows");
        lateShort = windows("late-short-windows");
        late = getRuntimeContext().getMetricGroup().counter("late");
    }

    private MapState<Long, Sums> windows(String name) {
        return getRuntimeContext().getMapState(new MapStateDescriptor<>(name, Types.LONG, SUMS));
    }

    @Override
    public void processElement(WindowSums partial, Context context, Collector<MetricDelta> out)
            throws Exception {
        newestStart = Math.max(newestStart, partial.windowStart);
        long lastMillisecond = partial.windowStart + shortMillis - 1;
        if (lastMillisecond > closedThrough) {
            add(openShort, partial.windowStart, partial.sums);
            context.timerService().registerEventTimeTimer(lastMillisecond);
            return;
        }
        if (partial.key.equals(countedKey)) {
            late.inc(partial.sums.events());
        }
        if (lateShort.isEmpty()) {
            long now = context.timerService().currentProcessingTime();
            context.timerService().registerProcessingTimeTimer(now + lateMillis);
            // A bounded input may end before that: its last watermark fires this one.
            context.timerService().registerEventTimeTimer(Long.MAX_VALUE);
        }
        add(lateShort, partial.windowStart, partial.sums);
    }

    @Override
    public void onTimer(long time, OnTimerContext context, Collector<MetricDelta> out)
            throws Exception {
        if (context.timeDomain() == TimeDomain.PROCESSING_TIME || time == Long.MAX_VALUE) {
            emitLate(context, out);
            return;
        }
        long end = time + 1;
        closeShort(end, context, out);
        closeLong(end, context);
    }

    private void closeShort(long end, OnTimerContext context, Collector<MetricDelta> out)
            throws Exception {
        long start = end - shortMillis;
        Sums sums = openShort.get(start);
        if (sums == null) {
            return;
        }
        openShort.remove(start);
        out.collect(delta(context, start, shortMillis, false, sums));
        long longStart = longStart(start);
        add(openLong, longStart, sums);
        // In the past already, if the watermark jumped: then it fires next.
        context.timerService().registerEventTimeTimer(longStart + longMillis - 1);
    }

    private void closeLong(long end, OnTimerContext context) throws Exception {
        long start = end - longMillis;
        Sums sums = openLong.get(start);
        if (sums != null) {
            openLong.remove(start);
            context.output(longWindows, delta(context, start, longMillis, false, sums));
        }
    }

    private void emitLate(OnTimerContext context, Collector<MetricDelta> out) throws Exception {
        Map<Long, Sums> byLongWindow = new TreeMap<>();
        for (Map.Entry<Long, Sums> window : lateShort.entries()) {
            out.collect(delta(context, window.getKey(), shortMillis, true, window.getValue()));
            byLongWindow
                    .computeIfAbsent(longStart(window.getKey()), start -> new Sums())
                    .add(window.getValue());
        }
        byLongWindow.forEach(
                (start, sums) ->
                        context.output(
                                longWindows, delta(context, start, longMillis, true, sums)));
        lateShort.clear();
        context.timerService().deleteEventTimeTimer(Long.MAX_VALUE);
    }

    private long longStart(long time) {
        return Math.floorDiv(time, longMillis) * longMillis;
    }

    private static void add(MapState<Long, Sums> windows, long start, Sums sums) throws Exception {
        Sums total = windows.get(start);
        if (total == null) {
            total = new Sums();
        }
        total.add(sums);
        windows.put(start, total);
    }

    private static MetricDelta delta(
            KeyedProcessFunction<String, WindowSums, MetricDelta>.OnTimerContext context,
            long start,
            long millis,
            boolean late,
            Sums sums) {
        MetricDelta delta = new MetricDelta();
        delta.key = context.getCurrentKey();
        delta.windowStart = start;
        delta.windowEnd = start + millis;
        delta.late = late;
        delta.sums = sums;
        delta.emittedAt = System.currentTimeMillis();
        return delta;
    }
}
