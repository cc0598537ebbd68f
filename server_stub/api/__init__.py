"""The thin top of the server: JMAP over HTTPS and WebSocket. Parses, dispatches, serializes; rules live below."""
