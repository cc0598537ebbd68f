"""Tongban's desktop client: app > modules > ui > models | platform > core. See docs/adr and the layer contracts in pyproject.toml."""
