"""The gate: may these contracts go to the base branch, and from there to the registry?

It works on files and on git alone, offline. `checking.check` is all of it; `python -m
roas_contracts check` shows what it finds. What it looks at:

- `reading`: every file can be read; subject.yaml and the schemas' own keys are closed,
- `evolution`: each version against its predecessors, by the subject's compatibility mode,
- `schema_lints` and `evolution_lints`: what Avro allows and what would corrupt meaning,
- `examples`: each example decodes under every version that claims it,
- `published`, `history`: what was published once is never changed.
"""
