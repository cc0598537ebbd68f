"""Which server keys the user trusts: the first one seen, one named on the command line, one accepted in the login window."""

from pathlib import Path

from desktop.core.net.trust import fingerprint, origin


class Trust:
    """Decides for the core (core.net.trust.TrustDecision). A changed key is never accepted without the user's word."""

    def __init__(self, certificate: Path | None = None) -> None:
        self._certificate = certificate
        self._approved: set[tuple[str, str]] = set()

    async def __call__(self, server: str, fingerprint: str, known: str | None) -> bool:
        """True: trust this key from now on. Called on the core's thread."""
        if (server, fingerprint) in self._approved or fingerprint in self._named():
            return True
        return known is None and self._certificate is None

    def approve(self, server: str, fingerprint: str) -> None:
        """The user pressed the trust button: the next try with exactly this key passes."""
        self._approved.add((origin(server), fingerprint))

    def _named(self) -> set[str]:
        """Fingerprints of the certificates in the file of --ca; read each time, for it may be renewed."""
        if self._certificate is None:
            return set()
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding

        try:
            found = x509.load_pem_x509_certificates(self._certificate.read_bytes())
        except (OSError, ValueError):
            return set()
        return {fingerprint(certificate.public_bytes(Encoding.DER)) for certificate in found}


def pinned_fingerprint(data_dir: Path, server: str) -> str:
    """The fingerprint pinned for a server, in hex; empty when there is none or the system's trust store vouches for it."""
    from desktop.core.services import client  # the start has no use for it

    return client.pinned_fingerprint(data_dir, server)
