"""The event contracts of Marketing ROAS: the only code that services share.

Start with `events` (what the records are), `decoder` (bytes to events, and what is poison),
`codec` (events to bytes) and `dead_letters` (what becomes of a record that fails).
"""
