"""Records out to workbooks and in from them: what a cell means either way, files nobody vouches for, the panes around it."""
