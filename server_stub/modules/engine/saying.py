"""Sentences that logs and the command line have in English and clients in the language of their user."""

from collections.abc import Iterable, Mapping
from typing import Final

from server_stub.records.types import JsonObject

MAX_ARGUMENT: Final = 200


class Said(str):
    """A sentence: the text itself is English, `zh` the same in Chinese. Parts of it (names of fields, reasons of a check) may be as they are."""

    __slots__ = ("zh",)
    zh: str

    def __new__(cls, en: str, zh: str) -> "Said":
        made = super().__new__(cls, en)
        made.zh = zh
        return made

    def filled(self, en: str, zh: str) -> "Said":
        """With something in the place of `{}` in both."""
        return Said(self.replace("{}", en), self.zh.replace("{}", zh))


class Reason(str):
    """Why a definition is not sound: the text itself is English, for logs; clients say it by `code` and `args` in their user's language.

    `where`: the place in the definition, such as `types.Car.plate`. Arguments are texts, numbers, lists of texts, and reasons in reasons.
    """

    __slots__ = ("args", "code", "where")
    code: str
    args: Mapping[str, object]
    where: str

    def __new__(cls, text: str, code: str, args: Mapping[str, object], where: str = "") -> "Reason":
        made = super().__new__(cls, text)
        made.code, made.args, made.where = code, args, where
        return made

    def at(self, where: str) -> "Reason":
        """The same, of a place."""
        return Reason(f"{where}: {self}", self.code, self.args, where)

    def to_object(self) -> JsonObject:
        """`code`, `args` and, where it is known, `where`, as on the wire."""
        shown: JsonObject = {"code": self.code, "args": {name: _argument(one) for name, one in self.args.items()}}
        return shown | ({"where": self.where} if self.where else {})


def reason(code: str, text: str, /, **args: object) -> Reason:
    """A reason without a place. `text`: English, with the arguments in braces; clients have theirs under `office_unsound.<code>`."""
    shown = {name: ", ".join(map(str, one)) if isinstance(one, list | tuple) else one for name, one in args.items()}
    return Reason(text.format(**shown), code, args)


def _argument(value: object) -> object:
    if isinstance(value, Reason):
        return value.to_object()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list | tuple):
        return [str(one)[:MAX_ARGUMENT] for one in value]
    return value if isinstance(value, int | float) else str(value)[:MAX_ARGUMENT]


def after(prefix: str, sentence: str) -> str:
    """A sentence with the place it is about before it; what clients say themselves has its place already."""
    if isinstance(sentence, Said):
        return Said(prefix + sentence, sentence.zh)
    if isinstance(sentence, Reason):
        return Reason(prefix + sentence, sentence.code, sentence.args, sentence.where)
    return prefix + sentence


def in_both(sentences: Iterable[str]) -> list[JsonObject]:
    """For the wire: {zh, en} of each; what was said in one language only is the same in both. A Reason has `code`, `args` and `where` besides."""
    return [
        {
            "zh": one.zh if isinstance(one, Said) else str(one),
            "en": str(one),
            **(one.to_object() if isinstance(one, Reason) else {}),
        }
        for one in sentences
    ]
