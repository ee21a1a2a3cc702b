"""Holds the compatibility rule against Apache Avro's Java, on random pairs of schemas.

Not a part of the runtime package: it runs in a checkout, as `./roas contracts fuzz`.
"""
