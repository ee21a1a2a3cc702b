"""`restore`: the archive back into empty topics, byte for byte.

`archived` reads the archive, `target` says what the topics hold already, `running` sends the rest
in transactions, `command` is the verb. There is no record of how far a restore has come: what the
topics hold is compared with the archive, and the restore goes on behind it.
"""
