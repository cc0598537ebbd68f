"""Sentences that logs and the command line have in English and clients in the language of their user."""

from collections.abc import Iterable


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


def after(prefix: str, sentence: str) -> str:
    """A sentence with the place it is about before it; the Chinese of one that has both says that itself."""
    return Said(prefix + sentence, sentence.zh) if isinstance(sentence, Said) else prefix + sentence


def in_both(sentences: Iterable[str]) -> list[dict[str, str]]:
    """For the wire: {zh, en} of each; what was said in one language only is the same in both."""
    return [{"zh": one.zh if isinstance(one, Said) else one, "en": str(one)} for one in sentences]
