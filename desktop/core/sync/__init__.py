"""The sync machine of one account: events in, commands out. No I/O, no clock, no randomness; the store is a port declared here."""
