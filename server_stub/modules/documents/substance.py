"""What of a draft is its substance: its words and figures, without spaces and punctuation. What the signer saw must be what is printed."""

import hashlib
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

PARTS: Final = ("title", "recipients", "body", "jointUnits", "unitId")
"""A change of these after signing goes back to the signer; the layout, annotation, copies and the like do not."""


def substance_of(data: Mapping[str, Any]) -> str:
    """A digest that differs when words or figures of the draft do."""
    digest = hashlib.sha256()
    for name in PARTS:
        value = data.get(name) or ""
        text = "/".join(value) if isinstance(value, list) else str(value)
        kept = "".join(one for one in unicodedata.normalize("NFKC", text) if unicodedata.category(one)[0] in "LNMS")
        digest.update(f"{name}\0{kept}\0".encode())
    return digest.hexdigest()
