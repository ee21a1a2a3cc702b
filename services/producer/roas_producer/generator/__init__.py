"""Made-up ad rows that follow Avazu's published statistics.

`rows(GeneratorOptions(...))` yields the same hour blocks as the CSV reader, so everything behind
is the same for generated and for real rows. No row of the data set is in here: the model was fitted
(``python -m roas_producer.generator.fit``) to figures alone. What is published comes out: volume
and click rate by day and by hour of day, the frequency and the click rate of every value with at
least 50 rows, how many rarer ones there are, site or app but never both, and which column
determines which. What is not published is made up and says so: which day a campaign runs, drift,
how columns go together beyond that.
"""

from roas_producer.generator.blocks import rows
from roas_producer.generator.options import GeneratorOptions

__all__ = ["GeneratorOptions", "rows"]
