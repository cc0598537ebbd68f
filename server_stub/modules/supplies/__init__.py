"""办公用品管理: its rules; the rest is module.toml."""
