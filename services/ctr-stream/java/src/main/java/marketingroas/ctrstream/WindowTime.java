package marketingroas.ctrstream;

import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.tasks.ProcessingTimeService;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;

/**
 * The time of the windows: event time, and where nobody tells it any more, the wall clock's pace.
 *
 * <p>When every partition has become idle, time goes on from where it was, at least from the newest
 * minute seen, one second each second, until the last window is closed, and no further. So the last
 * windows close without new traffic and without heartbeats, and whoever publishes live and comes
 * back after a pause is still on time.
 */
public final class WindowTime extends KeyedProcessOperator<String, WindowSums, MetricDelta> {
    private static final long serialVersionUID = 1L;
    private static final long STEP_MILLIS = 1_000;

    private transient long reached;
    private transient boolean idle;
    private transient long idleSince;
    private transient long timeThen;

    public WindowTime(WindowTotals windows) {
        super(windows);
    }

    @Override
    public void open() throws Exception {
        super.open();
        reached = Long.MIN_VALUE;
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        // The wall clock may have gone past it.
        if (mark.getTimestamp() > reached) {
            reached = mark.getTimestamp();
            windows().closeThrough(reached);
            super.processWatermark(mark);
        }
    }

    @Override
    public void processWatermarkStatus(WatermarkStatus status) throws Exception {
        boolean wasIdle = idle;
        idle = status.isIdle();
        super.processWatermarkStatus(status);
        if (idle && !wasIdle) {
            idleSince = getProcessingTimeService().getCurrentProcessingTime();
            timeThen = Math.max(windows().newestStart(), windows().closedThrough());
            goOn(idleSince);
        }
    }

    private void goOn(long startOfIdleness) throws Exception {
        if (!idle || idleSince != startOfIdleness) {
            return; // A timer of an earlier silence.
        }
        long end = windows().newestEnd();
        if (end == Long.MIN_VALUE || reached >= end - 1) {
            return;
        }
        ProcessingTimeService timers = getProcessingTimeService();
        long now = timers.getCurrentProcessingTime();
        processWatermark(new Watermark(Math.min(timeThen + now - idleSince, end - 1)));
        timers.registerTimer(now + STEP_MILLIS, fired -> goOn(startOfIdleness));
    }

    private WindowTotals windows() {
        return (WindowTotals) getUserFunction();
    }
}
