"""Glue to the operating system: folders, single instance, preferences of the device, opening files, system notifications."""
