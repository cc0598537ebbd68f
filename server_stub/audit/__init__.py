"""The audit log: an append-only hash chain written in the same transaction as the act it records."""
