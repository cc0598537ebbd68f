"""The verbs a user interface or a script may call, and the driver that executes the sync machine's commands."""
