"""OFD documents (GB/T 33190-2016): the package, what its pages hold, fonts, drawing with QPainter, text for search and selection, seals."""
