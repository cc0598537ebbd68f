"""Benches: a module here with `main(argv) -> dict` of figures is found and run by `dev.py bench NAME`."""
