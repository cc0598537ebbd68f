"""任务安排: its rules; the rest is module.toml."""
