"""What `tongban-server init` needs to know: the answers, read from a TOML file or asked for one by one, each checked by itself.

The words of the questions are in resources/server/wizard.json, in Chinese and English.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from server_stub.app.settings import DEFAULT_PORT, Settings, SettingsError

TLS_WAYS: Final = ("office", "files", "proxy")
MOST_OFFICE: Final = 100


class AnswerRefused(ValueError):
    """An answer cannot be used; the text says why, in the language of whoever was asked."""


class Words:
    """The wizard's texts in one language, `zh` or `en`."""

    def __init__(self, language: str) -> None:
        self._language = language

    def __call__(self, key: str, /, **values: object) -> str:
        return _texts()[key][self._language].format(**values)


def language_of(environment: Mapping[str, str]) -> str:
    """`zh` where the locale says so (POSIX: the first of these that is set counts), else `en`."""
    chosen = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), "")
    return "zh" if chosen.lower().startswith("zh") else "en"


@cache
def _texts() -> dict[str, dict[str, str]]:
    root = Path(__file__).resolve().parents[2]
    for folder in ("resources", "tongban_resources"):
        path = root / folder / "server" / "wizard.json"
        if path.is_file():
            return msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, str]])
    raise FileNotFoundError("resources/server/wizard.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Everything an office decides when its server is made.

    Attributes:
        addresses: host names or addresses clients connect to; the first is the one they are told.
        tls: `office`, `files` (then `certificate` and `key`) or `proxy` (then `proxy` and `public`).
        backups: folder of backups; empty: `backups` in the data folder.
    """

    office: str = ""
    addresses: tuple[str, ...] = ()
    port: int = DEFAULT_PORT
    data: str = ""
    backups: str = ""
    admin: str = ""
    admin_name: str = ""
    tls: str = "office"
    certificate: str = ""
    key: str = ""
    proxy: str = "127.0.0.1"
    public: str = ""

    @property
    def address(self) -> str:
        """What clients are told to type in."""
        if self.tls == "proxy":
            return self.public
        host = self.addresses[0]
        return f"https://{f'[{host}]' if ':' in host else host}:{self.port}"


def load_answers(file: Path, words: Words) -> dict[str, Any]:
    """The answers of a TOML file, by the names of `Answers`. Raises AnswerRefused."""
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AnswerRefused(words("unreadable_answers", path=file, why=error)) from error
    unknown = sorted(found.keys() - {one.name for one in fields(Answers)})
    if unknown:
        raise AnswerRefused(words("unknown_answer", names=", ".join(unknown)))
    for name, given in found.items():
        default = getattr(Answers(), name)
        if isinstance(default, tuple):
            value = [given] if isinstance(given, str) else given
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise AnswerRefused(words("wrong_kind", name=name))
            found[name] = tuple(value)
        elif type(given) is not type(default):
            raise AnswerRefused(words("wrong_kind", name=name))
    return found


def check_answer(name: str, value: Any, words: Words) -> None:
    """Refuse one answer that cannot be used, whatever the others are. Raises AnswerRefused."""
    match name:
        case "office":
            _need(1 <= len(value.strip()) <= MOST_OFFICE, words("wrong_office", most=MOST_OFFICE))
        case "addresses":
            _need(bool(value), words("wrong_address", value=""))
            for one in value:
                try:
                    Settings(names=(one,))
                except SettingsError:
                    raise AnswerRefused(words("wrong_address", value=one)) from None
        case "port":
            _need(1 <= value <= 65535, words("wrong_port"))
        case "tls":
            _need(value in TLS_WAYS, words("wrong_tls"))
        case "admin":
            _need(bool(re.fullmatch(r"\S+", value)), words("wrong_login"))
        case "data":
            _need(bool(value.strip()) and "\0" not in value, words("wrong_folder"))
        case "proxy":
            try:
                ipaddress.ip_address(value)
            except ValueError:
                raise AnswerRefused(words("wrong_proxy", value=value)) from None
        case "public":
            parts = urlsplit(value)
            _need(parts.scheme == "https" and bool(parts.hostname), words("wrong_public", value=value))


def check_answers(answers: Answers, words: Words) -> None:
    """Refuse answers that do not go together. Raises AnswerRefused."""
    for name in ("office", "addresses", "port", "tls", "admin", "data"):
        check_answer(name, getattr(answers, name), words)
    if answers.tls == "files":
        check_pair(answers.certificate, answers.key, words)
    if answers.tls == "proxy":
        check_answer("proxy", answers.proxy, words)
        check_answer("public", answers.public, words)


def check_pair(certificate: str, key: str, words: Words) -> None:
    """Certificate and key can be loaded and belong together. Raises AnswerRefused."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:
        raise AnswerRefused(words("wrong_certificate", value=certificate, key=key, why=error)) from error


def _need(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AnswerRefused(otherwise)
