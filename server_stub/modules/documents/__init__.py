"""公文处理: official documents received and sent, their numbers, layouts, exchange packages and versions."""
