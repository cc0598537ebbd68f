"""Conversations, their members, messages and read markers, in tables of their own."""

from server_stub.chat import tables as tables  # importing any part of the package declares its tables
