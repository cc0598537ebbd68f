"""The wire as values: frames, method calls, objects. Sans-io; any bytes give a value or a ProtocolError, never another exception."""
