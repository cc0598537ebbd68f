"""Reports of a module: figures and charts over a period."""
