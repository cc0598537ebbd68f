"""车辆管理: its rules; the rest is module.toml."""
