"""The settings page: sections at the left, cards of settings at the right; each change works at once."""
