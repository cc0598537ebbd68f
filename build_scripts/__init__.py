"""Tools of the workshop. `dev.py` is the one door; nothing here is shipped with the program."""
