"""Expected failures of the client, by what the caller can do. Text comes from resources/i18n under `error.<code>`.

AppError
├── Offline                  no connection; the work is kept where it can be
│   └── Unreachable          the server did not answer at all
│       └── ProxyFailed      the proxy on the way to it did not do its part
├── Rejected                 the server said no; `code` is its error type
│   ├── InvalidCredentials
│   ├── Locked               too many tries; `retry_after` seconds
│   ├── AccountDisabled
│   └── DeviceRevoked
├── AuthExpired              sign in again
├── UntrustedServer          the certificate is not the pinned one; both fingerprints
├── StorageUnavailable       the local store can't be used now (disk full, no rights, in use)
│   ├── WrongStoreKey
│   ├── StoreDamaged
│   └── StoreTooNew          written by a newer program
├── LeaseExpired             a kept document may no longer be read offline
├── BadFile                  a file can't be read, changed while being sent, or is not what it claims
└── UserCancelled
"""


class AppError(Exception):
    """A failure with a stable code and data for its text; never shown as it is."""

    code = "appError"

    def __init__(self, **data: object) -> None:
        super().__init__(self.code, data)
        self.data = data


class Offline(AppError):
    """No connection to the server."""

    code = "offline"


class Unreachable(Offline):
    """The server's address does not answer. Data: server."""

    code = "unreachable"


class ProxyFailed(Unreachable):
    """The proxy does not let us through. Data: proxy (host:port), type: unreachable, auth, refused, target, protocol, address."""

    code = "proxyFailed"


class Rejected(AppError):
    """The server refused. Data: type (its error type), description."""

    code = "rejected"


class InvalidCredentials(Rejected):
    """Wrong login or password."""

    code = "invalidCredentials"


class Locked(Rejected):
    """Too many tries. Data: retry_after in seconds."""

    code = "locked"


class AccountDisabled(Rejected):
    """An administrator disabled the account."""

    code = "accountDisabled"


class DeviceRevoked(Rejected):
    """This device was signed out from elsewhere."""

    code = "deviceRevoked"


class AuthExpired(AppError):
    """The session can't be renewed; the user signs in again."""

    code = "authExpired"


class UntrustedServer(AppError):
    """The server shows another key than the pinned one. Data: server, fingerprint, known."""

    code = "untrustedServer"


class StorageUnavailable(AppError):
    """The local store can't be used. Data: reason."""

    code = "storageUnavailable"


class WrongStoreKey(StorageUnavailable):
    """The key does not open the local store."""

    code = "wrongStoreKey"


class StoreDamaged(StorageUnavailable):
    """The local store's file is damaged."""

    code = "storeDamaged"


class StoreTooNew(StorageUnavailable):
    """A newer Tongban wrote the local store. Data: found, known."""

    code = "storeTooNew"


class LeaseExpired(AppError):
    """A document's offline lease ran out. Data: until (ms)."""

    code = "leaseExpired"


class BadFile(AppError):
    """A file can't be used. Data: reason."""

    code = "badFile"


class UserCancelled(AppError):
    """The user stopped it."""

    code = "userCancelled"
