"""Conversations in windows of their own."""
