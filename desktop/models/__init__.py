"""Qt item models and view-models: QtCore only, no widgets, no sockets, no SQL."""
