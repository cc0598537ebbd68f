"""What a message said before: its versions, newest first, each with its time."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.core.domain import Message, TextVersion
from desktop.ui import theme
from desktop.ui.i18n import bind, tr, when
from desktop.ui.kit import Dialog, Label, Scroll


class HistoryDialog(Dialog):
    """The text as it is now on top, what it was until when below."""

    def __init__(self, parent: QWidget, message: Message, versions: list[TextVersion]) -> None:
        super().__init__(parent, "chat_talk.history.title", width=440)
        self.body.addWidget(Label(key="chat_talk.history.title", role="header", strong=True))
        scroll = Scroll(surface="surface")
        bind(scroll.setAccessibleName, "chat_talk.history.title")
        scroll.inner.setContentsMargins(0, 0, 0, 0)
        scroll.inner.setSpacing(8)
        scroll.setMinimumHeight(theme.scaled(240))
        scroll.inner.addWidget(self._card(tr("chat_talk.history.now"), message.text))
        for version in reversed(versions):
            said = tr("chat_talk.history.until", time=when.date_time(version.at))
            scroll.inner.addWidget(self._card(said, version.text))
        scroll.inner.addStretch(1)
        self.body.addWidget(scroll, 1)
        self.add_button("common.close", accept=False)

    @staticmethod
    def _card(head: str, text: str) -> QWidget:
        card = QFrame()
        card.setProperty("surface", "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(12, 8, 12, 8)
        column.addWidget(Label(head, role="secondary", tone="ink3"))
        body = Label(text, wrap=True)
        body.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(body)
        return card
