"""Makes the byte corpus in contracts/corpus: `python -m roas_corpus` (see the README there)."""
