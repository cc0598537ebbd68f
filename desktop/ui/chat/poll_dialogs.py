"""Making a poll and a chain, and a chain's whole list."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from desktop.core.domain import Message
from desktop.models.people import People
from desktop.ui import theme
from desktop.ui.chat.code_colors import CodeHighlighter
from desktop.ui.chat.time_field import TimeField
from desktop.ui.i18n import bind, tr, when
from desktop.ui.kit import Button, CheckBox, Dialog, IconButton, Label, Scroll, TextField, on_click, row
from desktop.ui.layouts import discard

LEAST_OPTIONS, MOST_OPTIONS = 2, 20
QUESTION_LIMIT, OPTION_LIMIT = 200, 100
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class PollPlan:
    """What a new poll asks. `closes_at` in ms since 1970, None without an end."""

    question: str
    options: tuple[str, ...]
    multiple: bool = False
    anonymous: bool = False
    closes_at: int | None = None


class PollDialog(Dialog):
    """The form of a new poll."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "chat_talk.poll.new", width=440)
        self.question = TextField(key="chat_talk.poll.question")
        self.question.setMaxLength(QUESTION_LIMIT)
        self.options: list[TextField] = []
        self._lines = QVBoxLayout()
        self._lines.setSpacing(6)
        self.more = Button(key="chat_talk.poll.add_option", kind="link", icon="plus", small=True)
        self.multiple = CheckBox(key="chat_talk.poll.multiple_ok")
        self.anonymous = CheckBox(key="chat_talk.poll.anonymous_ok")
        self.ends = CheckBox(key="chat_talk.poll.ends")
        self.end = TimeField("chat_talk.poll.ends", when.now() + 24 * HOUR_MS)
        self.end.setEnabled(False)
        self.ends.toggled.connect(self.end.setEnabled)
        self.body.addWidget(Label(key="chat_talk.poll.new", role="header", strong=True))
        self.body.addWidget(self.question)
        self.body.addLayout(self._lines)
        self.body.addLayout(row(self.more, None))
        self.body.addWidget(self.multiple)
        self.body.addWidget(self.anonymous)
        self.body.addLayout(row(self.ends, self.end, None))
        self.add_button("common.cancel", accept=False)
        self.ok = self.add_button("chat_talk.poll.start", kind="primary", accept=True)
        on_click(self.more, self.add_option)
        self.question.textChanged.connect(self._show_state)
        for _ in range(LEAST_OPTIONS + 1):
            self.add_option()
        self.question.setFocus()
        self._show_state()

    def add_option(self) -> None:
        """One more answer."""
        field = TextField(key="chat_talk.poll.option_hint")
        field.setMaxLength(OPTION_LIMIT)
        remove = IconButton("x", "chat_talk.poll.remove_option", size=14, box=26)
        holder = QWidget()
        line = row(field, remove, spacing=4)
        holder.setLayout(line)
        on_click(remove, lambda: self._remove(field, holder))
        field.textChanged.connect(self._show_state)
        field.returnPressed.connect(self._on_return)
        self.options.append(field)
        self._lines.addWidget(holder)
        field.setFocus()
        self._show_state()

    def _on_return(self) -> None:
        if len(self.options) < MOST_OPTIONS:
            self.add_option()

    def _remove(self, field: TextField, holder: QWidget) -> None:
        if len(self.options) > LEAST_OPTIONS:
            self.options.remove(field)
            self._lines.removeWidget(holder)
            discard(holder)
            self._show_state()

    @property
    def plan(self) -> PollPlan:
        """What was filled in; answers that are empty or twice there are left out."""
        given = [field.text().strip() for field in self.options]
        at = self.end.at if self.ends.isChecked() else None
        return PollPlan(
            self.question.text().strip(),
            tuple(dict.fromkeys(text for text in given if text)),
            self.multiple.isChecked(),
            self.anonymous.isChecked(),
            at,
        )

    def _show_state(self) -> None:
        plan = self.plan
        self.more.setEnabled(len(self.options) < MOST_OPTIONS)
        self.ok.setEnabled(bool(plan.question) and len(plan.options) >= LEAST_OPTIONS)


class ChainDialog(Dialog):
    """The form of a new chain: what it is about, and an example of a line."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "chat_talk.chain.new", width=420)
        self.title = TextField(key="chat_talk.chain.title")
        self.title.setMaxLength(QUESTION_LIMIT)
        self.example = TextField(key="chat_talk.chain.example_hint")
        self.example.setMaxLength(OPTION_LIMIT)
        self.body.addWidget(Label(key="chat_talk.chain.new", role="header", strong=True))
        self.body.addWidget(self.title)
        self.body.addWidget(self.example)
        self.add_button("common.cancel", accept=False)
        self.ok = self.add_button("chat_talk.chain.start", kind="primary", accept=True)
        self.title.textChanged.connect(lambda text: self.ok.setEnabled(bool(text.strip())))
        self.ok.setEnabled(False)
        self.title.setFocus()


class CodeDialog(Dialog):
    """A block of code to send, with the name of its language."""

    def __init__(self, parent: QWidget, text: str = "") -> None:
        super().__init__(parent, "chat_talk.code.new", width=560)
        self.language = TextField(key="chat_talk.code.language")
        self.language.setMaxLength(30)
        self.code = QPlainTextEdit(text)
        self.code.setProperty("look", "field")
        self.code.setFont(theme.mono_font())
        self.code.setMinimumHeight(theme.scaled(220))
        self.code.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        bind(self.code.setAccessibleName, "chat_talk.code")
        self.body.addWidget(Label(key="chat_talk.code.new", role="header", strong=True))
        self.body.addWidget(self.language)
        self.body.addWidget(self.code, 1)
        self.add_button("common.cancel", accept=False)
        self.ok = self.add_button("chat.compose.send", kind="primary", accept=True)
        self.code.textChanged.connect(self._show_state)
        colors = CodeHighlighter(self.code.document())
        self.language.textChanged.connect(colors.set_language)
        self._show_state()
        self.code.setFocus()

    def _show_state(self) -> None:
        length = len(self.code.toPlainText())
        self.ok.setEnabled(0 < length <= 10_000 and bool(self.code.toPlainText().strip()))


class ChainList(Dialog):
    """All lines of a chain."""

    def __init__(self, parent: QWidget, people: People, message: Message) -> None:
        super().__init__(parent, "chat_talk.chain", width=400)
        title = message.chain.title if message.chain is not None else ""
        self.body.addWidget(Label(title, role="header", strong=True, wrap=True))
        scroll = Scroll(surface="surface")
        scroll.setAccessibleName(title)
        scroll.inner.setContentsMargins(0, 0, 0, 0)
        scroll.setMinimumHeight(theme.scaled(300))
        for number, entry in enumerate(message.entries, 1):
            name = people.name(entry.person_id) or tr("common.unknown_person")
            line = Label(f"{number}. {name}  {entry.text}", wrap=True)
            line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            scroll.inner.addWidget(line)
        scroll.inner.addStretch(1)
        self.body.addWidget(scroll, 1)
        self.add_button("common.close", accept=False)
