"""`./roas chaos`: kills every process of the stack, again and again, and lets the ledger judge."""
