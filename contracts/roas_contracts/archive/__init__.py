"""The archive: event topics as Parquet files, from which Kafka can be filled again.

    <archive>/<topic>/<topic id>/<partition>/<first offset>-<offset behind the last>.parquet

A file holds every committed record of its offset range, byte for byte, and what it was judged to
be. It is written once and never changed. `format` has the columns, the description that each file
carries, and the checksum of its records; `layout` the names; `writing` and `reading` the files.
A file is self-contained: the writers' schemas are in it too, so it can be read without a registry.
"""
