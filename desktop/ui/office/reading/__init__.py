"""Reading records one after the other: the reader view of a module."""
