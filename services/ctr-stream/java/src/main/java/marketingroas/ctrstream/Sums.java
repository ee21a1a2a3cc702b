package marketingroas.ctrstream;

/** What is added up for one window and dimension value. A Flink POJO: its fields are its state. */
public class Sums {
    public long impressions;
    public long clicks;
    public long conversions;
    public long costMicros;
    public long revenueMicros;

    public void add(Sums other) {
        impressions += other.impressions;
        clicks += other.clicks;
        conversions += other.conversions;
        costMicros += other.costMicros;
        revenueMicros += other.revenueMicros;
    }

    /** Counts one event. */
    void add(AdRecord event) {
        switch (event.measure) {
            case IMPRESSION:
                impressions++;
                break;
            case CLICK:
                clicks++;
                break;
            default:
                conversions++;
        }
        costMicros += event.costMicros;
        revenueMicros += event.revenueMicros;
    }

    /** Events counted here, whatever they are. */
    long events() {
        return impressions + clicks + conversions;
    }
}
