"""The local store: one port (core.sync.port), two adapters (memory, encrypted SQLite) under one contract suite."""
