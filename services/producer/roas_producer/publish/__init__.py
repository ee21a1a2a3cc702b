"""A person's own impressions, clicks and conversions, from CSV, JSON lines or Parquet."""
