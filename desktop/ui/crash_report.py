"""At the next start after the program did not end as it should: what happened in plain words, what is safe, a report to copy or save."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.platform.folders import downloads_dir
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, CheckBox, Dialog, IconLabel, Label, Snack, clipboard_text, on_click, row

KINDS = ("native", "error", "power", "killed")
FILE_NAME = "tongban-crash.txt"


class CrashReportWindow(Dialog):
    """`silenced`: nothing more about this one. `report` is asked when it is wanted; `write` raises OSError."""

    silenced = Signal()

    def __init__(
        self,
        kind: str,
        report: Callable[[], str],
        *,
        write: Callable[[Path, str], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent, "diagnosis.crash.title", width=440)
        self.setWindowModality(Qt.WindowModality.NonModal)
        self.setObjectName("crashReport")
        self._report, self._write = report, write
        self.what = Label(key=f"diagnosis.crash.{kind if kind in KINDS else 'killed'}", tone="ink2", wrap=True)
        self.safe = Label(tone="ink2", wrap=True)
        self.safe.hide()
        self.never = CheckBox(key="diagnosis.crash.never")
        self.copy = Button(key="diagnosis.crash.copy", kind="secondary")
        self.save = Button(key="diagnosis.crash.save", kind="secondary")
        head = row(
            IconLabel("warning", tone="amber", size=24),
            Label(key="diagnosis.crash.title", role="header", strong=True),
            spacing=8,
        )
        head.addStretch(1)
        self.body.addLayout(head)
        self.body.addWidget(self.what)
        self.body.addWidget(self.safe)
        self.body.addWidget(Label(key="diagnosis.no_secrets", role="secondary", tone="ink3", wrap=True))
        self.body.addLayout(row(self.copy, self.save, None, spacing=8))
        self.body.addWidget(self.never)
        self.add_button("common.close", kind="primary", accept=True)
        on_click(self.copy, self._on_copy)
        on_click(self.save, self._on_save)
        self.finished.connect(self._on_finished)
        self.snack = Snack(self)

    def tell_safe(self, waiting: int) -> None:
        """How much was not sent yet and is still here."""
        self.safe.setText(tr("diagnosis.crash.waiting", n=waiting) if waiting else tr("diagnosis.crash.all_safe"))
        self.safe.show()
        self._grow()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._grow()

    def _grow(self) -> None:
        """Makes room for sentences that take more lines: a window of its own does not ask its layout for the height of its width."""
        layout = self.layout()
        if layout is not None:
            layout.activate()
            self.resize(self.width(), layout.totalHeightForWidth(self.width()))

    def _on_copy(self) -> None:
        clipboard_text(self._report())
        self.snack.say(tr("diagnosis.copied"))

    def _on_save(self) -> None:
        dialog = QFileDialog(self, tr("diagnosis.crash.save"), str(downloads_dir() / FILE_NAME))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.save_to(Path(path)))
        dialog.open()

    def save_to(self, path: Path) -> None:
        """Writes the report."""
        try:
            self._write(path, self._report())
        except OSError:
            self.snack.say(tr("diagnosis.save_failed"))
            return
        self.snack.say(tr("diagnosis.saved", name=path.name))

    def _on_finished(self, _result: int) -> None:
        if self.never.isChecked():
            self.silenced.emit()
