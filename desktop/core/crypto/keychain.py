"""Where secrets rest: one port and its adapters (the system's keychain, a file under a passphrase, memory for tests).

Every call may block (a prompt, Argon2id): services call it off the loop with a time limit. Secrets never reach a log or a repr.
"""

import base64
import os
import sys
from pathlib import Path
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from desktop.core.errors import StorageUnavailable, WrongStoreKey

_SERVICE = "tongban"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class Keychain(Protocol):
    """Named secrets of this user on this machine."""

    def load(self, name: str) -> bytes | None:
        """The secret, or None when there is none.

        Raises:
            StorageUnavailable: the keychain cannot be used now.
        """
        ...

    def save(self, name: str, secret: bytes) -> None:
        """Keeps the secret, replacing an older one. Raises StorageUnavailable."""
        ...

    def delete(self, name: str) -> None:
        """Forgets the secret; nothing happens when there is none. Raises StorageUnavailable."""
        ...


class MemoryKeychain:
    """For tests and throw-away sessions: gone with the process."""

    def __init__(self) -> None:
        self._secrets: dict[str, bytes] = {}

    def load(self, name: str) -> bytes | None:
        return self._secrets.get(name)

    def save(self, name: str, secret: bytes) -> None:
        self._secrets[name] = secret

    def delete(self, name: str) -> None:
        self._secrets.pop(name, None)


def system_keychain(service: str = _SERVICE) -> Keychain | None:
    """The system's own keychain; None when there is none. May block: it looks at the session bus."""
    if sys.platform == "linux" and not _chosen_by_user():
        from desktop.core.crypto.secret_service import SecretServiceKeychain, is_there

        if is_there():
            return SecretServiceKeychain(service)
    return SystemKeychain(service) if SystemKeychain.available() else None


def _chosen_by_user() -> bool:
    """Whether the user named a backend for keyring, in the environment or in its file: then keyring it is."""
    if "PYTHON_KEYRING_BACKEND" in os.environ:
        return True
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return (folder / "python_keyring" / "keyringrc.cfg").exists()


class SystemKeychain:
    """The system's keychain through keyring: Windows Credential Locker, macOS Keychain, and what else has a backend for it."""

    def __init__(self, service: str = _SERVICE) -> None:
        self._service = service

    @staticmethod
    def available() -> bool:
        """Whether a real backend is there (keyring's `fail` and `null` are none). May block: it looks at the session bus."""
        import keyring
        from keyring.backends.fail import Keyring as NoKeyring

        backend = keyring.get_keyring()
        return not isinstance(backend, NoKeyring) and backend.priority > 0

    def load(self, name: str) -> bytes | None:
        import keyring
        from keyring.errors import KeyringError

        try:
            text = keyring.get_password(self._service, name)
            return None if text is None else base64.b64decode(text, validate=True)
        except (KeyringError, ValueError, OSError) as error:
            raise StorageUnavailable(reason="keychain") from error

    def save(self, name: str, secret: bytes) -> None:
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password(self._service, name, base64.b64encode(secret).decode("ascii"))
        except (KeyringError, OSError) as error:
            raise StorageUnavailable(reason="keychain") from error

    def delete(self, name: str) -> None:
        import keyring
        from keyring.errors import KeyringError, PasswordDeleteError

        try:
            keyring.delete_password(self._service, name)
        except PasswordDeleteError:
            return
        except (KeyringError, OSError) as error:
            raise StorageUnavailable(reason="keychain") from error


class _SealedFile(msgspec.Struct, frozen=True):
    """On disk: Argon2id parameters, then ChaCha20-Poly1305 over the JSON of all secrets."""

    version: int
    salt: bytes
    iterations: int
    memory_kib: int
    lanes: int
    nonce: bytes
    sealed: bytes


class PassphraseKeychain:
    """A file under a passphrase, for machines without a keychain: Argon2id → ChaCha20-Poly1305, a fresh salt with each write."""

    def __init__(self, path: Path, passphrase: str, *, iterations: int = 3, memory_kib: int = 65536) -> None:
        self._path = path
        self._passphrase = passphrase.encode()
        self._iterations = iterations
        self._memory_kib = memory_kib

    def __repr__(self) -> str:
        return "PassphraseKeychain(…)"

    def load(self, name: str) -> bytes | None:
        return self._read().get(name)

    def save(self, name: str, secret: bytes) -> None:
        self._write({**self._read(), name: secret})

    def delete(self, name: str) -> None:
        secrets = self._read()
        if secrets.pop(name, None) is not None:
            self._write(secrets)

    def _read(self) -> dict[str, bytes]:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StorageUnavailable(reason="keychain") from error
        return msgspec.msgpack.decode(open_sealed(data, self._passphrase), type=dict[str, bytes])

    def _write(self, secrets: dict[str, bytes]) -> None:
        sealed = seal(
            msgspec.msgpack.encode(secrets), self._passphrase, iterations=self._iterations, memory_kib=self._memory_kib
        )
        try:
            write_private(self._path, sealed)
        except OSError as error:
            raise StorageUnavailable(reason="keychain") from error


def seal(plain: bytes, passphrase: bytes, *, iterations: int = 3, memory_kib: int = 65536, lanes: int = 1) -> bytes:
    """`plain` under a passphrase: Argon2id (RFC 9106) → ChaCha20-Poly1305. Takes about 0.2 s on purpose."""
    salt, nonce = os.urandom(16), os.urandom(_NONCE_BYTES)
    key = _derive(passphrase, salt, iterations, memory_kib, lanes)
    sealed = ChaCha20Poly1305(key).encrypt(nonce, plain, salt)
    return msgspec.msgpack.encode(_SealedFile(1, salt, iterations, memory_kib, lanes, nonce, sealed))


def open_sealed(data: bytes, passphrase: bytes) -> bytes:
    """What `seal` sealed.

    Raises:
        WrongStoreKey: the passphrase is another one, or the bytes are damaged (the two cannot be told apart).
    """
    try:
        box = msgspec.msgpack.decode(data, type=_SealedFile)
        # A hostile file must not make us take all memory of the machine.
        if box.memory_kib > 1 << 20 or box.iterations > 16 or box.lanes > 16:
            raise WrongStoreKey(reason="parameters")
        key = _derive(passphrase, box.salt, box.iterations, box.memory_kib, box.lanes)
        return ChaCha20Poly1305(key).decrypt(box.nonce, box.sealed, box.salt)
    except (msgspec.MsgspecError, InvalidTag, ValueError) as error:
        raise WrongStoreKey(reason="passphrase") from error


def write_private(path: Path, data: bytes) -> None:
    """Replaces a file in one step, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _derive(passphrase: bytes, salt: bytes, iterations: int, memory_kib: int, lanes: int) -> bytes:
    return Argon2id(salt=salt, length=_KEY_BYTES, iterations=iterations, lanes=lanes, memory_cost=memory_kib).derive(
        passphrase
    )
