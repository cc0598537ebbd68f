"""Settings of the server: a TOML file, then TONGBAN_* environment variables, then command-line options.

An unknown key in the file is an error that names its line; nothing is guessed.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

DEFAULT_PORT: Final = 8460
ENV_PREFIX: Final = "TONGBAN_"
_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(Exception):
    """A setting cannot be used. The text names the place (file and line, or variable) and what is wanted."""


def _setting(default: Any, about: str, low: int | None = None, high: int | None = None) -> Any:
    factory = {"default_factory": lambda: default} if isinstance(default, list) else {"default": default}
    return field(**factory, metadata={"about": about, "low": low, "high": high})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an administrator may set. Sizes are bytes; times are in the unit the name ends with."""

    data: Path = _setting(Path("tongban-data"), "folder of database, blobs, certificates")  # noqa: RUF009 (it makes a field)
    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(DEFAULT_PORT, "port to listen on; 0 takes a free one", 0, 65535)
    names: tuple[str, ...] = _setting((), "more host names and addresses for the server's certificate")
    font_folders: tuple[str, ...] = _setting(
        (), "folders with more fonts for official documents (方正小标宋, 仿宋_GB2312), from where the file lies"
    )
    office_program: str = _setting(
        "soffice", "LibreOffice, by name or path, makes PDFs of office documents where it is installed; empty: never"
    )
    updates_folder: str = _setting("", "folder of the clients' updates; empty: `updates` in the data folder")
    backup_folder: str = _setting(
        "", "folder of backups and of the copies made before a migration; empty: `backups` in the data folder"
    )
    tls_certificate: str = _setting(
        "", "PEM file with a certificate of your own and its chain; empty: one of the server's own authority"
    )
    tls_key: str = _setting("", "PEM file with that certificate's key")
    proxies: tuple[str, ...] = _setting(
        (), "addresses of reverse proxies whose X-Forwarded-For is believed; empty: nobody's"
    )
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR")
    access_token_seconds: int = _setting(300, "life of an access token", 10, 3600)
    refresh_token_days: int = _setting(30, "life of a refresh token that is not used", 1, 366)
    lock_after_failures: int = _setting(5, "wrong passwords for one login before it is locked", 1, 100)
    address_lock_after_failures: int = _setting(50, "wrong passwords from one address before it is locked", 1, 10_000)
    lock_base_seconds: int = _setting(30, "first lock-out; each further failure doubles it", 1, 3600)
    lock_max_seconds: int = _setting(3600, "longest lock-out", 1, 86_400)
    password_min_length: int = _setting(8, "shortest password that can be set", 1, 128)
    max_upload: int = _setting(100_000_000, "largest simple upload", 1)
    max_resumable_upload: int = _setting(10 * 1024**3, "largest tus upload", 1)
    upload_expires_hours: int = _setting(24, "an unfinished upload is dropped after this long without progress", 1, 720)
    orphan_hours: int = _setting(24, "a blob nothing refers to is dropped after this long", 24, 8760)
    keep_changes_days: int = _setting(400, "a client away for longer than this syncs from the start", 1, 3650)
    writes_per_second: int = _setting(
        200, "objects and uploads one person may write a second in the long run", 1, 100_000
    )
    write_burst: int = _setting(20_000, "objects and uploads one person may write at once", 1, 10_000_000)
    stored_bytes_per_person: int = _setting(20_000_000_000, "bytes one person's uploads may take in all", 1_000_000)
    max_connections: int = _setting(10_000, "open connections in all", 10, 1_000_000)
    max_connections_per_address: int = _setting(2000, "open connections from one address", 1, 1_000_000)
    stalled_reader_seconds: int = _setting(120, "a response whose reader takes nothing is cut after this long", 5, 3600)
    edit_within_seconds: int = _setting(86_400, "how long its sender may edit a message", 0, 10_000_000)
    recall_within_seconds: int = _setting(120, "how long its sender may recall a message", 0, 10_000_000)
    max_voice_seconds: int = _setting(120, "longest voice message", 1, 3600)
    chat_file_days: int = _setting(
        0, "files and videos in conversations of two are let go after so many days; 0: never", 0, 36_500
    )
    lan_direct_max_bytes: int = _setting(
        0, "largest file two clients may pass each other directly in the office network; 0: none, never", 0
    )
    lan_direct_keep_copy: int = _setting(
        1,
        "1: the sender uploads a file that was passed directly as well, in the background; 0: only the two devices have it",
        0,
        1,
    )
    stop_seconds: int = _setting(10, "time for a graceful stop", 1, 120)

    def __post_init__(self) -> None:
        for one in fields(self):
            _check_value(one.name, getattr(self, one.name), one.metadata)
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise SettingsError("tls_certificate and tls_key belong together: set both or neither")
        if self.lock_base_seconds > self.lock_max_seconds:
            raise SettingsError("lock_base_seconds must not be above lock_max_seconds")


def backup_folder(settings: Settings) -> Path | None:
    """The folder the settings name for backups; None: the data folder's own."""
    return Path(settings.backup_folder) if settings.backup_folder else None


def load_settings(
    file: Path | None, environment: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """Settings from the file (if given), the environment and the command line, later ones winning.

    Raises:
        SettingsError: unreadable file, unknown key, wrong kind of value or value out of range.
    """
    values: dict[str, Any] = {}
    if file is not None:
        values |= _from_file(file)
    values |= _from_environment(os.environ if environment is None else environment)
    for name, value in (overrides or {}).items():
        if value is not None:
            values[name] = _convert(name, value, "command line")
    return Settings(**values)


def describe_settings() -> list[tuple[str, str, str]]:
    """(name, default, meaning) of every setting, in order: what docs/server.md must list."""
    shown = Settings()
    return [(one.name, str(getattr(shown, one.name)), one.metadata["about"]) for one in fields(Settings)]


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Names of TONGBAN_* variables no setting reads: worth a warning, since the client shares the prefix."""
    known = {ENV_PREFIX + one.name.upper() for one in fields(Settings)}
    return sorted(name for name in environment if name.startswith(ENV_PREFIX) and name not in known)


def _from_file(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text("utf-8")
        values = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error
    known = {one.name for one in fields(Settings)}
    found = {}
    for key, value in values.items():
        where = f"{file}, line {_line_of(text, key)}"
        if key not in known:
            raise SettingsError(f"{where}: unknown setting {key!r}")
        found[key] = _convert(key, value, where)
    if "data" in found:
        found["data"] = (file.parent / found["data"]).resolve()  # a relative folder is meant from where the file lies
    for name in ("backup_folder", "tls_certificate", "tls_key"):
        if found.get(name):
            found[name] = str((file.parent / found[name]).resolve())
    if "font_folders" in found:
        found["font_folders"] = tuple(str((file.parent / one).resolve()) for one in found["font_folders"])
    return found


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for one in fields(Settings):
        name = ENV_PREFIX + one.name.upper()
        if name in environment:
            found[one.name] = _convert(one.name, _from_text(one.name, environment[name], name), name)
    return found


def _from_text(name: str, text: str, where: str) -> object:
    default = getattr(Settings(), name)
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            raise SettingsError(f"{where}: {name} must be a whole number") from None
    if isinstance(default, tuple):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _convert(name: str, value: Any, where: str) -> Any:
    """The value as the field wants it, checked by itself. Raises SettingsError that names the place."""
    metadata = next(one.metadata for one in fields(Settings) if one.name == name)
    try:
        converted = _to_kind(name, value)
        _check_value(name, converted, metadata)
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from None
    return converted


def _to_kind(name: str, value: Any) -> Any:
    default = getattr(Settings(), name)
    if isinstance(default, Path):
        if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
            raise SettingsError(f"{name} must be a folder")
        return Path(value).expanduser()
    if isinstance(default, tuple):
        if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
            raise SettingsError(f"{name} must be a list of texts")
        return tuple(value)
    if isinstance(default, int):
        if isinstance(value, bool) or not isinstance(value, int):
            raise SettingsError(f"{name} must be a whole number")
        return value
    if not isinstance(value, str):
        raise SettingsError(f"{name} must be a text")
    return value.upper() if name == "log_level" else value


def _check_value(name: str, value: object, limits: Mapping[str, Any]) -> None:
    if name == "log_level" and value not in _LOG_LEVELS:
        raise SettingsError(f"log_level must be one of {', '.join(_LOG_LEVELS)}")
    if name == "names" and isinstance(value, tuple):
        for host in value:
            _check_host_name(host)
    if name == "proxies" and isinstance(value, tuple):
        for address in value:
            try:
                ipaddress.ip_network(address)
            except ValueError as error:
                raise SettingsError(f"proxies: {address!r} is neither an address nor a network (10.0.0.0/8)") from error
    if name == "font_folders" and isinstance(value, tuple):
        for folder in value:
            if not folder.strip() or "\0" in folder:
                raise SettingsError(f"font_folders: {folder!r} is no folder")
    low, high = limits.get("low"), limits.get("high")
    if isinstance(value, int) and ((low is not None and value < low) or (high is not None and value > high)):
        raise SettingsError(f"{name} must be at least {low}" + (f" and at most {high}" if high is not None else ""))


def _check_host_name(name: str) -> None:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        labels = name.rstrip(".").split(".")
        if len(name) > 253 or not all(
            re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", x) for x in labels
        ):
            raise SettingsError(f"names: {name!r} is neither a host name nor an address") from None


def _line_of(text: str, key: str) -> int:
    pattern = re.compile(rf"""^\s*(?:\[+\s*)?["']?{re.escape(key)}["']?\s*(?:[=.\]])""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line)), 1)
