"""The rules of supervision, by type: matters.py, items.py, feedback.py, extensions.py, circulars.py; what they share: supervised.py, reckoning.py."""

from server_stub.modules.supervision.circulars import CircularRules
from server_stub.modules.supervision.extensions import ExtensionRules
from server_stub.modules.supervision.feedback import ReportRules, UrgeRules
from server_stub.modules.supervision.items import ItemRules
from server_stub.modules.supervision.matters import MatterRules

__all__ = ["CircularRules", "ExtensionRules", "ItemRules", "MatterRules", "ReportRules", "UrgeRules"]
