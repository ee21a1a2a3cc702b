"""`batch maintain`: what has to be done every day so that everything else can go on.

`retention` (old day partitions, never one whose archive does not verify), `registry_backup` (every
schema under its id, into a file and back), `dead_letter_report`, `vacuum`. `verbs` has the
commands.
"""
