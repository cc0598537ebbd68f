"""Keys that work whatever program is in front: one backend for each system, and a clear word where a system has none."""
