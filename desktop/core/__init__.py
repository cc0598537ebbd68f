"""The client's core. Knows no Qt: scripts, bots and load generators use it as it is."""
