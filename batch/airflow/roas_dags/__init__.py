"""What the four DAGs are made of. It does no work of the batch itself: tools of their own do.

- `settings`: environment variables ROAS_DAGS_*.
- `commands`: which command line does what, as lists of words; pure.
- `tool`: runs one of them as a process that never outlives its task.
- `outcome`: what its exit code means for the task: done, try again, or give up.
- `days`: event days, asked for or named by assets.
- `incidents`: what a run tells people about what went wrong.
- `tasks`: what the DAGs share: defaults and the closing `report`.
"""
