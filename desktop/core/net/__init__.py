"""The network's edge: TLS trust, HTTP, WebSocket, tus, ranged downloads. Time limits live here; retries are the sync machine's."""
