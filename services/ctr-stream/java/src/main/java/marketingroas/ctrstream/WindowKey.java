package marketingroas.ctrstream;

import org.apache.flink.api.java.functions.KeySelector;

/** Routes partial sums to the owner of their dimension value. */
public final class WindowKey implements KeySelector<WindowSums, String> {
    private static final long serialVersionUID = 1L;

    @Override
    public String getKey(WindowSums sums) {
        return sums.key;
    }
}
