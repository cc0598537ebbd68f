"""The record engine: who sees what since when, generic records, and the interface every synced type offers to the api."""

from server_stub.records import tables as tables  # importing any part of the package declares its tables
