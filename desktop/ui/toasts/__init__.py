"""Pop-ups at the edge of the screen: a message with reply in place, a notice with its action. They never take the focus."""
