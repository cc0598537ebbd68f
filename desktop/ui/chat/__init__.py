"""The talk: conversation list, message view, composer. Message text is plain text everywhere, never read as HTML."""
