"""Search: the box over everything (Ctrl+K) and the pane inside a conversation (Ctrl+F)."""
