"""This service's version, as in its VERSION file (a test holds them together)."""

SERVICE = "producer"
VERSION = "0.1.0"
