"""Exchange packages: a document with its attachments on the way from one bureau to another (docs/adr/0009)."""
