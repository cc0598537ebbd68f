"""The one error of this package: what came is not what the wire promises."""


class ProtocolError(Exception):
    """Bytes or values from the other side that break the contract. The text is for logs and holds no content."""
