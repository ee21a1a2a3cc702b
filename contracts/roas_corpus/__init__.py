"""What tests of the contracts are made of: the byte corpus and random records.

`python -m roas_corpus` writes the corpus (see contracts/corpus/README.md).
"""
