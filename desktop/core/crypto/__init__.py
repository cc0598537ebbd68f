"""Keys and sealed bytes: the device key and its proofs, keychains, encrypted blob files. No network, no asyncio."""
