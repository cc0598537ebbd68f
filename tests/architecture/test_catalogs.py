"""Every text the user sees is in resources/i18n, in Chinese and in English, and every text there is used."""

import ast
import functools
import json
import re
import string
from pathlib import Path

from tests.architecture.source_tree import ROOT, Source, dotted_name, sources

CATALOGS = ROOT / "resources" / "i18n"
LANGUAGES = ("zh", "en")
CHINESE = re.compile(r"[\u3400-\u9fff]")
NARROW_MARK = re.compile(
    r"[\u4e00-\u9fff][,;:?!](?=[\u4e00-\u9fff「“《（{ ]|$)"
)  # GB/T 15834: marks between Chinese signs are full-width
PRODUCT = "通办?"  # a name, the same in every language, and its sign
SIGN_RANGE = "\\[.+\\]|^[一㐀鿿]$"  # of a pattern, or an end of the block
PLAYS_PEOPLE = "desktop/app/tour.py"  # its people write to each other
PLURAL = "#one"  # the form of a key for n=1
KEY_ARGUMENT = {"tr": 0, "bind": 1}  # which argument of these calls is a key


@functools.cache
def catalog() -> dict[str, tuple[Path, dict[str, str]]]:
    """key → (its file, language → text); a key in two files fails here."""
    found: dict[str, tuple[Path, dict[str, str]]] = {}
    for path in sorted(CATALOGS.glob("*.json")):
        for key, texts in json.loads(path.read_text(encoding="utf-8")).items():
            assert key not in found, f"{key} is in {found[key][0].name} and in {path.name}"
            found[key] = (path, texts)
    return found


def fields(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}


def tr_keys(source: Source) -> tuple[set[str], set[str]]:
    """Literal keys given to tr(), and the fixed beginnings of composed ones: tr(f"error.{code}") gives "error."."""
    keys: set[str] = set()
    beginnings: set[str] = set()
    for call, name in source.calls():
        position = KEY_ARGUMENT.get(name.rpartition(".")[2])
        if position is None or len(call.args) <= position:
            continue
        argument = call.args[position]
        sides = (argument.body, argument.orelse) if isinstance(argument, ast.IfExp) else (argument,)
        keys |= {side.value for side in sides if isinstance(side, ast.Constant) and isinstance(side.value, str)}
        beginnings |= {beginning(node) for node in ast.walk(argument) if isinstance(node, ast.JoinedStr)}
    return keys, beginnings - {""}


def beginning(node: ast.JoinedStr) -> str:
    first = node.values[0] if node.values else None
    return str(first.value) if isinstance(first, ast.Constant) else ""


def test_there_are_catalogs() -> None:
    assert len(catalog()) > 50


def test_chinese_texts_have_chinese_marks() -> None:
    assert [key for key, (_, texts) in catalog().items() if NARROW_MARK.search(texts["zh"])] == []


def test_every_key_has_every_language() -> None:
    wrong = [
        key
        for key, (_, texts) in catalog().items()
        if set(texts) != set(LANGUAGES) or not all(text.strip() for text in texts.values())
    ]
    assert wrong == []


def test_both_languages_take_the_same_data() -> None:
    plain = {key: texts for key, (_, texts) in catalog().items() if not key.endswith(PLURAL)}
    wrong = {key: texts for key, texts in plain.items() if fields(texts["zh"]) != fields(texts["en"])}
    assert wrong == {}


def test_a_form_for_one_belongs_to_a_key_and_takes_no_more_data() -> None:
    """ "1 file" may leave the number out; it may not ask for something that "{n} files" does not."""
    forms = {key: texts for key, (_, texts) in catalog().items() if key.endswith(PLURAL)}
    assert [key for key in forms if key.removesuffix(PLURAL) not in catalog()] == []
    wrong = [
        key
        for key, texts in forms.items()
        if not (fields(texts["zh"]) | fields(texts["en"])) <= fields(catalog()[key.removesuffix(PLURAL)][1]["en"])
    ]
    assert wrong == []


def test_english_texts_are_not_chinese() -> None:
    """A text that was left untranslated; names of languages and of the product are written as they are."""
    wrong = {
        key: texts["en"]
        for key, (_, texts) in catalog().items()
        if CHINESE.search(re.sub(f"简体中文|中文|{PRODUCT}", "", texts["en"]))
    }
    assert wrong == {}


def test_every_key_used_exists() -> None:
    missing = {
        f"{source.path}: {key}" for source in sources("desktop") for key in tr_keys(source)[0] if key not in catalog()
    }
    composed = {
        f"{source.path}: {start}…"
        for source in sources("desktop")
        for start in tr_keys(source)[1]
        if not any(key.startswith(start) for key in catalog())
    }
    assert missing | composed == set()


def test_no_key_is_unused() -> None:
    """Used means: the whole key stands somewhere in the client's code, or a composed key begins like it ("office.filter" + …)."""
    literals = {str(text.value) for source in sources("desktop") for text in source.texts()}
    composed = tuple(
        start
        for source in sources("desktop")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.JoinedStr) and "." in (start := beginning(node))
    )
    composed += tuple(
        f"{literal.removesuffix('.')}." for literal in literals if re.fullmatch(r"[a-z]+\.|[a-z]+(\.\w+)+\.?", literal)
    )
    unused = sorted(
        key for key in catalog() if key.removesuffix(PLURAL) not in literals and not key.startswith(composed)
    )
    assert unused == []


def test_no_text_stands_in_the_code() -> None:
    """Chinese in the client's code is a text never translated; data (signs, patterns) says so with `# not a text`."""
    found = []
    for source in sources("desktop"):
        if source.path == PLAYS_PEOPLE:
            continue
        lines = source.text.splitlines()
        found += [
            f"{source.path}:{text.lineno} {text.value!r}"
            for text in source.texts()
            if CHINESE.search(re.sub(f"{SIGN_RANGE}|{PRODUCT}", "", str(text.value)))
            and "# not a text" not in lines[(text.end_lineno or text.lineno) - 1]
        ]
    assert found == []


def test_composed_keys_are_understood() -> None:
    code = 'tr(f"error.{code}")\nself.tr("a.b")\nbind(label.setText, "b.c")\nwidget.setText(tr("x.y" if many else "x.z", n=1))\n'
    keys, beginnings = tr_keys(Source("x.py", code, ast.parse(code)))
    assert (keys, beginnings) == ({"a.b", "b.c", "x.y", "x.z"}, {"error."})
    assert dotted_name(ast.parse("a().b.c", mode="eval").body) == "a.b.c"


def test_every_text_is_in_the_file_that_its_key_names() -> None:
    """The client reads a fragment when a key of it is first asked (desktop/ui/i18n/fragments.py)."""
    wrong = {key: path.name for key, (path, _) in catalog().items() if key.partition(".")[0] != path.stem}
    assert wrong == {}
