"""Start and quit: the composition root. The only package that knows every other one; nothing imports it."""
