"""The login window: accounts of this device, password, server, and for each failure its own sentence with what to do next."""

from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.domain import KnownAccount
from desktop.core.errors import (
    AccountDisabled,
    AppError,
    DeviceRevoked,
    InvalidCredentials,
    Locked,
    ProxyFailed,
    StorageUnavailable,
    StoreDamaged,
    Unreachable,
    UntrustedServer,
    WrongStoreKey,
)
from desktop.platform.autostart import Autostart, AutostartFailed
from desktop.platform.policy import Policy
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import (
    Avatar,
    Button,
    CheckBox,
    ComboBox,
    ElidedLabel,
    IconButton,
    IconLabel,
    Label,
    PasswordField,
    TextField,
    confirm,
    on_click,
    row,
)
from desktop.ui.shell.trust_pane import TrustPane
from desktop.ui.tasks import TaskOwner

DEFAULT_PORT = 8460
SIZE = (360, 480)
SECOND_MS = 1000


class LoginGate(Protocol):
    """What the window asks of the core. Both verbs answer a session."""

    def accounts(self) -> list[KnownAccount]: ...
    async def sign_in(self, server: str, login: str, password: str, *, remember: bool) -> Any: ...
    async def resume(self, account: KnownAccount, password: str | None = None) -> Any: ...
    async def forget(self, account_id: str) -> None: ...
    def approve(self, server: str, fingerprint: str) -> None: ...


class BadAddress(ValueError):
    """What was entered is no server address."""


def server_address(text: str) -> str:
    """The server's address as https://host:port from what a person types.

    Raises:
        BadAddress: nothing that could be a host, or not https.
    """
    entered = text.strip()
    try:
        parts = urlsplit(entered if "//" in entered else f"https://{entered}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress(text) from error
    if (
        parts.scheme != "https"
        or not host
        or any(c.isspace() for c in host)
        or parts.path not in ("", "/")
        or parts.query
        or parts.username
    ):
        raise BadAddress(text)
    named = f"[{host}]" if ":" in host else host
    return f"https://{named}:{port or DEFAULT_PORT}"


def shown_server(address: str) -> str:
    """The host, with the port where it is not the usual one."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    return host if parts.port in (None, DEFAULT_PORT) else f"{host}:{parts.port}"


@dataclass(frozen=True, slots=True)
class _Try:
    """One press of the button, kept to press it again after the user trusted a certificate."""

    server: str
    login: str
    password: str
    remember: bool
    account: KnownAccount | None


class LoginWindow(QWidget):
    """Emits `signed_in` with the session; `closed` when the user gives up."""

    signed_in = Signal(object)
    closed = Signal()
    network_asked = Signal()
    diagnose_asked = Signal()

    def __init__(
        self,
        gate: LoginGate,
        *,
        server: str = "",
        login: str = "",
        autostart: Autostart | None = None,
        policy: Policy | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._gate, self._autostart = gate, autostart
        self._policy = policy or Policy()
        self.tasks = TaskOwner(self)
        self._accounts: list[KnownAccount] = []
        self._server = ""
        self._lock_left = 0
        self._last: _Try | None = None
        self._done = False
        self._build_ui()
        self._bind()
        self._load(server, login)

    @property
    def server_now(self) -> str:
        """The server that is typed, as accounts name theirs; empty for none."""
        return self._server

    # ---- build
    def _build_ui(self) -> None:
        self.setObjectName("loginWindow")
        i18n.bind(self.setWindowTitle, "login.title")
        self.stack = QStackedWidget()
        self.stack.addWidget(self._form())
        self.trust = TrustPane()
        self.stack.addWidget(self.trust)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.stack, 1)
        layout.addWidget(self._foot())
        self._fit()

    def _form(self) -> QWidget:
        form = QWidget()
        self.gear = IconButton("gear", "login.server_settings", tone="ink3", size=18, box=28, checkable=True)
        name = Label(key="app.name", role="secondary", tone="ink3")
        top = QHBoxLayout()
        top.setContentsMargins(14, 10, 10, 0)
        top.addWidget(name)
        top.addStretch(1)
        top.addWidget(self.gear)
        self.avatar = Avatar(76)
        self.account = ComboBox()
        self.account.setEditable(True)
        self.account.setInsertPolicy(ComboBox.InsertPolicy.NoInsert)
        self.account.setProperty("large", "true")
        self.account.setObjectName("login.account")
        i18n.bind(self.account.setAccessibleName, "login.account")
        i18n.bind(self._account_edit().setPlaceholderText, "login.account")
        i18n.bind(self._account_edit().setAccessibleName, "login.account")
        self.password = PasswordField(key="login.password", large=True)
        self.password.setObjectName("login.password")
        self.server = TextField(key="login.server", large=True)
        self.server.setObjectName("login.server")
        self.server.hide()
        self.network = Button(key="login.network", icon="globe", kind="link", small=True)
        self.network.setObjectName("login.network")
        self.network.hide()
        on_click(self.network, self.network_asked.emit)
        self.remember = CheckBox(key="login.remember")
        self.remember.setChecked(True)
        self.autostart = CheckBox(key="login.autostart")
        self.autostart.setObjectName("login.autostart")
        if self._autostart is None:
            self.autostart.hide()
        else:
            self.autostart.setChecked(self._autostart.is_on())
            self.autostart.clicked.connect(self._on_autostart)
        if self._policy.autostart is not None:
            self.autostart.setEnabled(False)
            i18n.bind(self.autostart.setToolTip, "policy.by_admin")
        if self._policy.server is not None:
            self.server.setReadOnly(True)
            i18n.bind(self.server.setToolTip, "policy.by_admin")
        self.submit = Button(key="login.submit", kind="primary", large=True)
        self.submit.setObjectName("login.submit")
        column = QVBoxLayout()
        column.setContentsMargins(54, 6, 54, 8)
        column.setSpacing(9)
        column.addWidget(self.avatar, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(8)
        for field in (self.account, self.password, self.server):
            column.addWidget(field)
        column.addWidget(self.network, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(row(self.remember, None, self.autostart))
        column.addSpacing(2)
        column.addWidget(self.submit)
        column.addWidget(self._problem())
        column.addStretch(1)
        whole = QVBoxLayout(form)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(top)
        whole.addLayout(column, 1)
        return form

    def _on_autostart(self, on: bool = False) -> None:
        """The box shows what the system took."""
        assert self._autostart is not None
        try:
            self._autostart.set_on(on)
        except AutostartFailed as error:
            self._show_problem(tr("settings.autostart.failed", why=str(error)))
        self.autostart.setChecked(self._autostart.is_on())

    def _problem(self) -> QWidget:
        self.problem = QFrame()
        self.problem_text = Label(role="secondary", tone="red_text", wrap=True)
        self.problem_text.setObjectName("login.problem")
        self.problem_icon = IconLabel("warning-circle", tone="red", size=16)
        self.offline = Button(key="login.offline_open", kind="secondary", small=True)
        self.offline.setObjectName("login.offline")
        self.forget = Button(key="login.forget", kind="danger", small=True)
        self.diagnose = Button(key="login.diagnose", kind="link", small=True)
        self.diagnose.setObjectName("login.diagnose")
        on_click(self.diagnose, self.diagnose_asked.emit)
        text = QHBoxLayout()
        text.setSpacing(6)
        text.addWidget(self.problem_icon, 0, Qt.AlignmentFlag.AlignTop)
        text.addWidget(self.problem_text, 1)
        actions = QHBoxLayout()
        actions.setContentsMargins(22, 0, 0, 0)
        actions.addWidget(self.offline)
        actions.addWidget(self.forget)
        actions.addWidget(self.diagnose)
        actions.addStretch(1)
        layout = QVBoxLayout(self.problem)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(text)
        layout.addLayout(actions)
        self.problem.hide()
        return self.problem

    def _foot(self) -> QWidget:
        foot = QFrame()
        foot.setProperty("surface", "footer")
        self.lock = IconLabel("lock-simple", tone="green", size=14)
        self.address = ElidedLabel(role="secondary", tone="ink2")
        self.device = Label(role="secondary", tone="ink3")
        layout = QHBoxLayout(foot)
        layout.setContentsMargins(16, 11, 16, 11)
        layout.setSpacing(6)
        layout.addWidget(self.lock)
        layout.addWidget(self.address, 1)
        layout.addWidget(self.device)
        return foot

    def _account_edit(self) -> QLineEdit:
        edit = self.account.lineEdit()
        if edit is None:
            raise AssertionError("the account box is editable")
        return edit

    def _bind(self) -> None:
        self._clock = QTimer(self)
        self._clock.setInterval(SECOND_MS)
        self._clock.timeout.connect(self._on_second)
        self.gear.toggled.connect(self._on_gear)
        self.server.textEdited.connect(self._on_server)
        self.account.activated.connect(self._on_account_chosen)
        self._account_edit().textEdited.connect(self._on_account_typed)
        self._account_edit().returnPressed.connect(self._on_return)
        self.password.returnPressed.connect(self._on_return)
        self.server.returnPressed.connect(self._on_return)
        on_click(self.submit, self.start)
        on_click(self.offline, self.open_offline)
        on_click(self.forget, lambda: self.tasks.start(self._forget(), name="forget", exclusive=True))
        self.trust.refused.connect(self._on_refused)
        self.trust.accepted.connect(self._on_trusted)
        i18n.changed.connect(self._show_foot)
        theme.changed.connect(self._fit)

    def _fit(self) -> None:
        self.setMinimumSize(theme.scaled(SIZE[0]), theme.scaled(SIZE[1]))
        self.resize(theme.scaled(SIZE[0]), theme.scaled(SIZE[1]))

    # ---- accounts and server
    def _load(self, server: str, login: str) -> None:
        only = self._policy.server and server_address(self._policy.server)
        self._accounts = [account for account in self._gate.accounts() if only in (None, account.server)]
        self.account.clear()
        for account in self._accounts:
            label = (
                f"{account.login} ・ {account.name}"
                if account.name and account.name != account.login
                else account.login
            )
            self.account.addItem(label)
        first = next((a for a in self._accounts if a.login == login), None) if login else None
        if first is None and not login and self._accounts:
            first = self._accounts[0]
        if first is not None:
            self._choose(first)
        else:
            self.account.setCurrentIndex(-1)
            self._account_edit().setText(login)
        if server:
            self.set_server(server)
        if not self._server:
            self.gear.setChecked(True)
        self._show_foot()
        (self.password if self.login else self._account_edit()).setFocus()

    @property
    def login(self) -> str:
        """The user name as it stands now."""
        return self._account_edit().text().split("・")[0].strip()

    def _known(self) -> KnownAccount | None:
        """The account of this device that fits what is entered."""
        fits = [a for a in self._accounts if a.login == self.login]
        return next((a for a in fits if a.server == self._server), fits[0] if fits and not self._server else None)

    def _choose(self, account: KnownAccount) -> None:
        self.account.setCurrentIndex(self._accounts.index(account))
        self._account_edit().setText(account.login)
        self.set_server(account.server)
        self._show_account()

    def _on_account_chosen(self, number: int) -> None:
        self._choose(self._accounts[number])
        self.hide_problem()
        self.password.clear()
        self.password.setFocus()

    def _on_account_typed(self) -> None:
        self.hide_problem()
        known = next((a for a in self._accounts if a.login == self.login), None)
        if known is not None and not self.server.isVisible():
            self.set_server(known.server)
        self._show_account()

    def _show_account(self) -> None:
        known = self._known()
        name = known.name if known and known.name else self.login
        if name:
            self.avatar.set_subject(name, known.id if known else self.login)
        else:
            self.avatar.set_subject(tr("app.name"), "tongban", icon="user")
        kept = known is not None and known.remembered
        i18n.bind(self.password.setPlaceholderText, "login.password_kept" if kept else "login.password")
        self._show_foot()

    def set_server(self, address: str) -> None:
        """Shows a server's address; what can't be one is shown for the user to mend."""
        try:
            self._server = server_address(address)
        except BadAddress:
            self._server = ""
            self.server.setText(address)
            self.gear.setChecked(True)
        else:
            self.server.setText(shown_server(self._server))
        self._show_account()

    def _on_server(self, text: str) -> None:
        try:
            self._server = server_address(text) if text.strip() else ""
            self.server.set_invalid(False)
        except BadAddress:
            self._server = ""
        self._show_account()

    def _on_gear(self, shown: bool) -> None:
        self.server.setVisible(shown)
        self.network.setVisible(shown)
        if shown and self.isVisible():
            self.server.setFocus()

    def _show_foot(self) -> None:
        if self._server:
            told = tr("login.server_tls", server=shown_server(self._server))
            set_ = self._policy.server is not None
            self.address.setText(f"{told} ・ {tr('policy.by_admin')}" if set_ else told)
        else:
            self.address.setText(tr("login.server_none"))
        self.lock.set_icon("lock-simple" if self._server else "lock-simple-open", "green" if self._server else "faint")
        self.device.setText(tr("login.device_known" if self._known() else "login.device_new"))
        self.device.setVisible(bool(self._server))

    # ---- signing in
    def _on_return(self) -> None:
        if self.submit.isEnabled():
            self.start()

    def start(self) -> None:
        """The user pressed the button."""
        known = self._known()
        password = self.password.text()
        resumes = known is not None and known.remembered and not password
        if not self.login:
            self._complain("login.need_account", self._account_edit())
        elif not self._server:
            self.gear.setChecked(True)
            self.server.set_invalid(bool(self.server.text().strip()))
            self._complain("login.server_bad" if self.server.text().strip() else "login.need_server", self.server)
        elif not password and not resumes:
            self._complain("login.need_password", self.password)
        else:
            self._run(_Try(self._server, self.login, password, self.remember.isChecked(), known if resumes else None))

    def open_offline(self) -> None:
        """Opens the local store with the password, or with the key that is kept."""
        known = self._known()
        if known is not None:
            self._run(_Try(self._server, self.login, self.password.text(), self.remember.isChecked(), known))

    def _run(self, attempt: _Try) -> None:
        self._last = attempt
        self.hide_problem()
        self.tasks.start(self._attempt(attempt), name="sign-in", exclusive=True)

    async def _attempt(self, attempt: _Try) -> None:
        self._set_busy(True)
        try:
            if attempt.account is not None:
                session = await self._gate.resume(attempt.account, attempt.password or None)
            else:
                session = await self._gate.sign_in(
                    attempt.server, attempt.login, attempt.password, remember=attempt.remember
                )
        except AppError as error:
            self._set_busy(False)
            self._show_error(error)
        except BaseException:
            self._set_busy(False)
            raise
        else:
            self._done = True
            self.password.clear()
            self._last = None
            self.signed_in.emit(session)

    def _set_busy(self, busy: bool) -> None:
        for field in (self.account, self.password, self.server, self.remember, self.gear):
            field.setEnabled(not busy)
        self.submit.setEnabled(not busy)
        i18n.bind(self.submit.setText, "login.busy" if busy else "login.submit")

    # ---- failures
    def _complain(self, key: str, field: QWidget) -> None:
        self._show_problem(tr(key))
        field.setFocus()

    def _show_problem(self, text: str, *, offline: bool = False, forget: bool = False, diagnose: bool = False) -> None:
        self.problem_text.setText(text)
        self.problem.setAccessibleName(text)
        self.offline.setVisible(offline)
        self.forget.setVisible(forget)
        self.diagnose.setVisible(diagnose)
        self.problem.show()
        self._grow()

    def _grow(self) -> None:
        """Makes room for a long sentence; never shrinks below the drawn size."""
        layout = self.layout()
        if layout is None:
            return
        layout.activate()
        wanted = layout.totalHeightForWidth(self.width()) if layout.hasHeightForWidth() else layout.sizeHint().height()
        self.resize(self.width(), max(theme.scaled(SIZE[1]), wanted))

    def hide_problem(self) -> None:
        """Takes the last failure away."""
        self.problem.hide()
        self.password.set_invalid(False)

    def _show_error(self, error: AppError) -> None:
        match error:
            case UntrustedServer():
                server, shown = str(error.data.get("server") or self._server), str(error.data.get("fingerprint") or "")
                self.trust.show_server(shown_server(server) or server, shown, str(error.data.get("known") or ""))
                self.stack.setCurrentWidget(self.trust)
            case Locked():
                self._start_lock(_seconds(error.data.get("retry_after")))
            case InvalidCredentials():
                needed = error.data.get("type") == "passwordNeeded"
                self._show_problem(tr("login.error.passwordNeeded" if needed else "login.error.invalidCredentials"))
                self.password.set_invalid(not needed)
                self.password.selectAll()
                self.password.setFocus()
            case AccountDisabled() | DeviceRevoked():
                self._show_problem(tr(f"login.error.{error.code}"))
            case ProxyFailed():
                self._show_problem(error_text(error), offline=self._known() is not None, diagnose=True)
            case Unreachable():
                known = self._known() is not None
                key = "login.error.unreachable_offline" if known else "login.error.unreachable"
                self._show_problem(tr(key, server=shown_server(self._server)), offline=known, diagnose=True)
            case StorageUnavailable():
                curable = isinstance(error, WrongStoreKey | StoreDamaged) and self._known() is not None
                self._show_problem(tr(f"login.error.{error.code}"), forget=curable)
            case _:
                self._show_problem(error_text(error), diagnose=True)

    def _start_lock(self, seconds: int) -> None:
        self._lock_left = max(1, seconds)
        self._clock.start()
        self._show_lock()

    def _show_lock(self) -> None:
        left = f"{self._lock_left // 60}:{self._lock_left % 60:02d}"
        self._show_problem(tr("login.error.locked", time=left))
        self.submit.setEnabled(False)
        i18n.bind(self.submit.setText, "login.wait", time=left)

    def _on_second(self) -> None:
        self._lock_left -= 1
        if self._lock_left > 0:
            self._show_lock()
            return
        self._clock.stop()
        self._set_busy(False)
        self._show_problem(tr("login.error.locked_over"))

    def _on_refused(self) -> None:
        self.stack.setCurrentIndex(0)
        self.password.setFocus()

    def _on_trusted(self, fingerprint: str) -> None:
        self.stack.setCurrentIndex(0)
        if self._last is not None:
            self._gate.approve(self._last.server, fingerprint)
            self._run(self._last)

    async def _forget(self) -> None:
        known = self._known()
        if known is None:
            return
        text = tr("login.forget_text", login=known.login)
        if await confirm(self, "login.forget_title", text, accept_key="login.forget_do", kind="danger"):
            await self._gate.forget(known.id)
            self.hide_problem()
            self._load(known.server, known.login)

    # ---- Qt
    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.tokens()
        painter = QPainter(self)
        sky = QLinearGradient(0, 0, 0, theme.scaled(220))
        sky.setColorAt(0, colors.login_top)
        sky.setColorAt(1, colors.surface)
        painter.fillRect(QRectF(self.rect()), sky)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._clock.stop()
        self.tasks.cancel_all()
        event.accept()
        if not self._done:
            self.closed.emit()


def _seconds(value: object) -> int:
    """Seconds out of an error's data; a minute when it names none."""
    return round(value) if isinstance(value, int | float) else 60
