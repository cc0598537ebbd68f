"""The server as a program: settings, command line, TLS, logs, start and stop, backup. Wires everything below it."""
