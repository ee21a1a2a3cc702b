"""Fit the generator's model to the published figures (run once, its result is committed).

    python -m roas_producer.generator.fit STATISTICS.json VALUE_COUNTS.csv model.npz

Only figures go in (totals per value, per hour of day, per day), never a row of the data set.
"""
