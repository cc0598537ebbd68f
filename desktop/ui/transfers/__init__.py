"""The transfers page: what moves, how fast, how long still, and what can be done about it."""
