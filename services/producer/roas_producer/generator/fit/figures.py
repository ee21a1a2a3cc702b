"""The figures that the project carries: what its tests hold generated rows against."""

from __future__ import annotations

from roas_producer.generator.fit.published import Published

_MOST_FREQUENT = 20


def reduced_figures(published: Published) -> dict[str, object]:
    """Return totals, hours, days and the most frequent values of each column, as published."""
    values: dict[str, dict[str, list[int]]] = {
        field: {value: list(pair) for value, pair in list(table.items())[:_MOST_FREQUENT]}
        for field, table in sorted(published.counts.items())
    }
    values["device_type"] = {
        str(int(code)): [int(rows), int(clicks)] for code, rows, clicks in published.device_types
    }
    return {
        "rows": int(published.total[0]),
        "clicks": int(published.total[1]),
        "cardinality": published.cardinality,
        "hour_of_day_impressions": [int(n) for n in published.hour_impressions],
        "hour_of_day_ctr": [float(rate) for rate in published.hour_ctr],
        "day_impressions": [int(n) for n in published.day_impressions],
        "day_ctr": [float(rate) for rate in published.day_ctr],
        "values": values,
    }
