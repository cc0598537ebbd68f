"""What is shown when a server's certificate is not the one on record: both fingerprints, and a way on that takes two deliberate steps."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Card, CheckBox, IconLabel, Label, on_click, row


def grouped(fingerprint: str) -> str:
    """A fingerprint in groups of four, as people read it out."""
    plain = "".join(c for c in fingerprint if c.isalnum()).upper()
    return " ".join(plain[i : i + 4] for i in range(0, len(plain), 4))


class TrustPane(QWidget):
    """`accepted` carries the fingerprint; the button works only once the box is ticked. The safe button has the focus."""

    accepted = Signal(str)
    refused = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fingerprint = ""
        self._server = ""
        self.title = Label(role="header", strong=True, wrap=True)
        self.text = Label(role="secondary", tone="ink2", wrap=True)
        self.known = _print_label()
        self.shown = _print_label()
        self.checked = CheckBox(key="login.trust.checked")
        self.accept = Button(key="login.trust.accept", kind="danger")
        self.accept.setObjectName("login.trust")
        self.back = Button(key="login.trust.back", kind="primary")
        self._build_ui()
        self.checked.toggled.connect(self.accept.setEnabled)
        on_click(self.accept, lambda: self.accepted.emit(self._fingerprint))
        on_click(self.back, self.refused.emit)
        i18n.changed.connect(self._show)
        theme.changed.connect(self._fit)
        self._fit()

    def _build_ui(self) -> None:
        card = Card(padding=10)
        card.body.setSpacing(4)
        card.body.addWidget(Label(key="login.trust.known", role="secondary", tone="ink3"))
        card.body.addWidget(self.known)
        card.body.addSpacing(6)
        card.body.addWidget(Label(key="login.trust.shown", role="secondary", tone="red_text", strong=True))
        card.body.addWidget(self.shown)
        head = row(IconLabel("shield-warning", tone="red", size=24), self.title, spacing=8)
        head.setStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 22, 24, 16)
        layout.setSpacing(10)
        layout.addLayout(head)
        layout.addWidget(self.text)
        layout.addWidget(card)
        layout.addWidget(self.checked)
        layout.addStretch(1)
        layout.addWidget(self.accept)
        layout.addWidget(self.back)

    def _fit(self) -> None:
        for label in (self.known, self.shown):
            label.setFont(theme.mono_font("small"))

    def show_server(self, server: str, fingerprint: str, known: str) -> None:
        """Shows a server's case."""
        self._server, self._fingerprint = server, fingerprint
        self.known.setText(grouped(known))
        self.shown.setText(grouped(fingerprint))
        self.checked.setChecked(False)
        self.accept.setEnabled(False)
        self._show()
        self.back.setFocus()

    def _show(self) -> None:
        first = not self.known.text() or self.known.text() == tr("login.trust.none")
        self.title.setText(tr("login.trust.first" if first else "login.trust.title"))
        self.text.setText(tr("login.trust.text", server=self._server))
        if first:
            self.known.setText(tr("login.trust.none"))


def _print_label() -> Label:
    label = Label(role="small", wrap=True)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label
