"""One record: its form, its pane with comments and history, its paper, its card. Made from the definition of its type alone."""
