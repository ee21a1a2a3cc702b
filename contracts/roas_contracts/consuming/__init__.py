"""What a Python consumer of ours needs to lose nothing and to count nothing twice.

Its offsets are kept by the store that it writes to, in the same transaction (`positions`,
`source`); what fails is acknowledged by Kafka as a dead letter before its offset moves on
(`dead_letter_sink`), and stops being moved aside when it is no longer the exception
(`dead_letter_limit`).
"""
