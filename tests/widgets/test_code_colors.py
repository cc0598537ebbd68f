"""Code in colors: what each language calls a keyword, a string, a comment, a number; places with characters beyond the first plane; while it is written."""

import re
import time

import pytest
from PySide6.QtWidgets import QApplication

from desktop.ui import theme
from desktop.ui.chat.code_colors import TONES, formats, known, pieces
from desktop.ui.chat.poll_dialogs import CodeDialog
from desktop.ui.theme.tokens import palette_tokens
from tests.helpers.fake_session import WANG, FakeSession
from tests.helpers.stage import play, settle, until
from tests.widgets.test_chat_acts import row_of
from tests.widgets.test_chat_view import open_page
from tests.widgets.test_theme import contrast

SAMPLES = [
    ("Python", 'def f(x):  # 备注 "no"\n    return """a\nb""" + \'it\\\'s\' + 0x1F',
     [("def", "keyword"), ('# 备注 "no"', "comment"), ("return", "keyword"), ('"""a\nb"""', "string"),
      ("'it\\'s'", "string"), ("0x1F", "number")]),
    ("SQL", "select a from t where n >= 3.5 -- 旧\n and b = '甲''乙'",
     [("select", "keyword"), ("from", "keyword"), ("where", "keyword"), ("3.5", "number"), ("-- 旧", "comment"),
      ("and", "keyword"), ("'甲'", "string"), ("'乙'", "string")]),
    ("json", '{"a": [true, -12e3, null]}', [('"a"', "string"), ("true", "keyword"), ("12e3", "number"), ("null", "keyword")]),
    ("ts", "const u = `a${b}`; /* x */ // http://y",
     [("const", "keyword"), ("`a${b}`", "string"), ("/* x */", "comment"), ("// http://y", "comment")]),
    ("bash", "if [ $# -gt 1 ]; then echo 'a#b' # end",
     [("if", "keyword"), ("1", "number"), ("then", "keyword"), ("echo", "keyword"), ("'a#b'", "string"), ("# end", "comment")]),
    ("java", 'public int n = 10L; String s = "未完',
     [("public", "keyword"), ("int", "keyword"), ("10L", "number"), ('"未完', "string")]),
    ("C++", "#include <a.h>\nint x2 = 7; /* 没有结束",
     [("include", "keyword"), ("int", "keyword"), ("7", "number"), ("/* 没有结束", "comment")]),
]  # fmt: skip


@pytest.mark.parametrize(("language", "code", "found"), SAMPLES, ids=[one[0] for one in SAMPLES])
def test_each_language_has_its_colors(language: str, code: str, found: list[tuple[str, str]]) -> None:
    assert [(code[start:end], kind) for start, end, kind in pieces(code, language)] == found


def test_an_unknown_language_is_left_alone_and_odd_text_takes_no_time(qapp: QApplication) -> None:
    assert (known("brainfuck"), known(None), list(pieces("if true", "brainfuck"))) == ("", "", [])
    began = time.perf_counter()
    for text in ("'" * 10_000, "/*" * 5_000, '"""' * 3_333, "\\" * 10_000, "1e" * 5_000, "`${" * 3_333):
        for language in ("python", "sql", "json", "js", "sh", "java", "c"):
            assert all(start < end for start, end, _ in pieces(text, language))
    assert time.perf_counter() - began < 5.0, "nothing goes over the text again and again"
    made = formats('x = "😀" # 😀!', "py")
    assert [(one.start, one.length) for one in made] == [(4, 4), (9, 5)], "places as Qt counts them"


@pytest.mark.parametrize("dark", [False, True])
def test_colors_can_be_read(dark: bool) -> None:
    colors = palette_tokens(dark)
    assert all(contrast(colors.named(tone), colors.field) >= 4.5 for tone in TONES.values())


def test_a_block_is_shown_in_colors_and_copied_plain() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        code = "def f():\n    return 'x'  # 说明"
        told = session.receive(WANG, "wangjianguo", code, code=True, language="Python")
        await until(lambda: page.pane.held(told.id))
        await settle()
        row = row_of(page, told.id)
        assert row.layout is not None
        shades = {one.format.foreground().color().name() for one in row.layout.formats()}
        assert len(shades) == 3
        (copy,) = [zone for zone in row.zones if zone.action == "copy_code"]
        page.pane.view.acted.emit(copy.action, told.id, copy.data)
        assert QApplication.clipboard().text() == code
        page.close_page()

    play(scene())


def test_it_is_colored_while_it_is_written(qapp: QApplication) -> None:
    async def scene() -> None:
        from PySide6.QtWidgets import QWidget

        host = QWidget()
        dialog = CodeDialog(host, "a = 1\nb = 2")
        dialog.language.setText("py")
        document = dialog.code.document()

        def shades(line: int) -> set[str]:
            layout = document.findBlockByNumber(line).layout()
            return {one.format.foreground().color().name() for one in layout.formats()}

        assert shades(1) == {theme.tokens().amber.name()}
        dialog.code.setPlainText('"""\nb = 2\n"""')
        assert shades(1) == {theme.tokens().green.name()}, "an open string runs on"
        cursor = dialog.code.textCursor()
        cursor.setPosition(0)
        cursor.insertText("#")
        assert shades(1) == {theme.tokens().amber.name()}, "what it does to the lines below is seen at once"
        assert re.fullmatch("[a-z]+", known("py"))
        dialog.language.setText("?")
        assert shades(1) == set()

    play(scene())
