"""Rules of documents: what their processes and definitions cannot say, a file for each part of the work."""

from server_stub.modules.documents.exchange_rules import PackageRules
from server_stub.modules.documents.receiving_rules import IncomingRules
from server_stub.modules.documents.sending_rules import EntryRules, OutgoingRules

__all__ = ["EntryRules", "IncomingRules", "OutgoingRules", "PackageRules"]
