"""通讯录: its rules; the rest is module.toml."""
