"""Turns Avazu files, or generated rows like them, into ad events on Kafka, exactly once."""
