"""The Secret Service of a Linux desktop (GNOME Keyring, KeePassXC, KWallet), spoken to directly. Linux only: load it late.

keyring finds it too, but only after it has loaded and asked every backend of every installed package: a tenth of a second of each
start. The items are the ones keyring's own backend writes and reads, so that either may follow the other.
"""

import base64
from collections.abc import Iterator
from contextlib import closing, contextmanager

import secretstorage
from jeepney import DBusErrorResponse
from secretstorage.exceptions import SecretStorageException

from desktop.core.errors import StorageUnavailable

_FAILURES = (SecretStorageException, DBusErrorResponse, OSError, EOFError)


def is_there() -> bool:
    """Whether the session bus has the service, or can start it. Blocks for some round trips."""
    try:
        with closing(secretstorage.dbus_init()) as bus:
            return secretstorage.check_service_availability(bus)
    except _FAILURES:
        return False


class SecretServiceKeychain:
    """Adapter of `crypto.keychain.Keychain`: the default collection, unlocked by a prompt of the system where it must be."""

    def __init__(self, service: str) -> None:
        self._service = service

    def load(self, name: str) -> bytes | None:
        with _collection() as collection:
            for item in collection.search_items(self._named(name)):
                if item.is_locked() and item.unlock():
                    raise StorageUnavailable(reason="keychain")
                try:
                    return base64.b64decode(item.get_secret(), validate=True)
                except ValueError as error:
                    raise StorageUnavailable(reason="keychain") from error
        return None

    def save(self, name: str, secret: bytes) -> None:
        attributes = {**self._named(name), "application": "Python keyring library"}
        label = f"Password for '{name}' on '{self._service}'"
        with _collection() as collection:
            collection.create_item(label, attributes, base64.b64encode(secret), replace=True)

    def delete(self, name: str) -> None:
        with _collection() as collection:
            for item in collection.search_items(self._named(name)):
                item.delete()

    def _named(self, name: str) -> dict[str, str]:
        return {"service": self._service, "username": name}


@contextmanager
def _collection() -> Iterator[secretstorage.Collection]:
    """The default collection. A connection of its own for each call: jeepney's belong to one thread."""
    try:
        with closing(secretstorage.dbus_init()) as bus:
            collection = secretstorage.get_default_collection(bus)
            if collection.is_locked() and collection.unlock():
                raise StorageUnavailable(reason="keychain")
            yield collection
    except _FAILURES as error:
        raise StorageUnavailable(reason="keychain") from error
