"""The picture viewer: a window of its own for one picture at a time."""
