"""One stylesheet for the whole program, built from the tokens. Widgets choose a look by dynamic properties:
`kind` (buttons: primary, secondary, ghost, danger, link), `role` (label size), `tone` (label color), `surface` (frames)."""

from PySide6.QtGui import QColor

from desktop.ui.theme.tokens import CONTROL_HEIGHT, FONT_SIZES, RADIUS_BUTTON, RADIUS_CARD, Tokens

_TONES = ("ink", "ink2", "ink3", "link", "red_text", "green", "amber", "on_accent", "on_snack", "rail_ink")


def css(color: QColor) -> str:
    """A color as the stylesheet wants it."""
    return f"rgba({color.red()},{color.green()},{color.blue()},{color.alpha()})"


class _Sheet:
    """Collects rules of one palette and scale."""

    def __init__(self, colors: Tokens, scale: float) -> None:
        self._scale = scale
        self._colors = {name: css(colors.named(name)) for name in colors.__slots__}
        self.rules: list[str] = []

    def px(self, size: float) -> str:
        return f"{round(size * self._scale)}px"

    def add(self, selector: str, **properties: str) -> None:
        """`_` in names becomes `-`; a value `@token` becomes its color."""
        body = ";".join(f"{name.replace('_', '-')}:{self._resolve(value)}" for name, value in properties.items())
        self.rules.append(f"{selector}{{{body}}}")

    def _resolve(self, value: str) -> str:
        return " ".join(self._colors[word[1:]] if word.startswith("@") else word for word in value.split(" "))


def build_stylesheet(colors: Tokens, scale: float) -> str:
    """The sheet of one palette at one text scale."""
    sheet = _Sheet(colors, scale)
    for build in (_windows, _labels, _buttons, _fields, _choices, _lists, _menus, _scroll_bars, _bars):
        build(sheet)
    return "\n".join(sheet.rules)


def _windows(sheet: _Sheet) -> None:
    sheet.add("QWidget", color="@ink")
    sheet.add("QMainWindow, QDialog, QWidget[surface='bg']", background="@bg")
    sheet.add("QWidget[surface='surface']", background="@surface")
    sheet.add("QWidget[surface='pane']", background="@pane")
    sheet.add("QWidget[surface='none']", background="transparent")
    sheet.add(
        "QFrame[surface='card']", background="@surface", border="1px solid @line", border_radius=f"{RADIUS_CARD}px"
    )
    sheet.add(
        "QFrame[surface='popup']", background="@surface", border="1px solid @line", border_radius=f"{RADIUS_CARD}px"
    )
    sheet.add("QFrame[surface='header']", background="@surface", border="0", border_bottom="1px solid @line")
    sheet.add("QFrame[surface='footer']", background="@surface", border="0", border_top="1px solid @line")
    sheet.add("QFrame[surface='note']", background="@amber_soft", border="0", border_bottom="1px solid @amber_line")
    sheet.add("QFrame[surface='rule']", background="@line", border="0", max_height="1px", min_height="1px")
    sheet.add("QFrame[surface='rule-v']", background="@line", border="0", max_width="1px", min_width="1px")
    sheet.add("QSplitter::handle", background="@line")
    sheet.add("QSplitter[look='open']::handle", background="transparent")
    # Qt counts the padding twice, once as the label's margin.
    sheet.add(
        "QToolTip", background="@tooltip", color="@on_tooltip", border="1px solid @line_strong", padding="1px 4px"
    )


def _labels(sheet: _Sheet) -> None:
    sheet.add("QLabel", background="transparent")
    for role, size in FONT_SIZES.items():
        sheet.add(f"QLabel[role='{role}']", font_size=sheet.px(size))
    for tone in _TONES:
        sheet.add(f"QLabel[tone='{tone}']", color=f"@{tone}")
    sheet.add("QLabel[strong='true']", font_weight="600")
    sheet.add("QLabel:disabled", color="@faint")
    for tone in ("red", "green", "amber"):
        ink = "red_text" if tone == "red" else tone
        sheet.add(f"QLabel[chip='{tone}']", background=f"@{tone}_soft", color=f"@{ink}")
    sheet.add("QLabel[chip='accent']", background="@accent_soft", color="@link")
    sheet.add("QLabel[chip='neutral']", background="@field", color="@ink2")
    sheet.add("QLabel[chip]", font_size=sheet.px(11), border_radius="4px", padding="2px 6px")


def _buttons(sheet: _Sheet) -> None:
    height = sheet.px(CONTROL_HEIGHT - 2)
    sheet.add(
        "QPushButton",
        background="@surface",
        border="1px solid @line",
        border_radius=f"{RADIUS_BUTTON}px",
        padding="0 14px",
        min_height=height,
    )
    sheet.add("QPushButton:hover", background="@hover")
    sheet.add("QPushButton:pressed, QPushButton:checked", background="@selected")
    sheet.add("QPushButton:focus", border="1px solid @accent")
    sheet.add("QPushButton:disabled", color="@faint", background="@bg")
    sheet.add("QPushButton[kind='primary']", background="@accent", border="1px solid @accent", color="@on_accent")
    sheet.add("QPushButton[kind='primary']:hover", background="@accent_hover", border_color="@accent_hover")
    sheet.add("QPushButton[kind='primary']:pressed", background="@accent_pressed")
    sheet.add("QPushButton[kind='primary']:focus", border="2px solid @ink")
    sheet.add("QPushButton[kind='primary']:disabled", background="@field", border_color="@field", color="@ink3")
    sheet.add("QPushButton[kind='danger']", color="@red_text", border="1px solid @red")
    sheet.add("QPushButton[kind='danger']:hover", background="@red_soft")
    sheet.add("QPushButton[kind='danger']:focus", border="2px solid @red")
    sheet.add("QPushButton[kind='danger']:disabled", color="@faint", border="1px solid @line", background="@bg")
    sheet.add("QPushButton[kind='ghost']", background="transparent", border="1px solid transparent", color="@ink2")
    sheet.add("QPushButton[kind='ghost']:hover", background="@hover", color="@ink")
    sheet.add("QPushButton[kind='ghost']:focus", border="1px solid @accent")
    sheet.add("QPushButton[kind='tab']", background="transparent", border="1px solid transparent", color="@ink")
    sheet.add("QPushButton[kind='tab']:hover", background="@hover")
    sheet.add("QPushButton[kind='tab']:checked", background="@accent_soft", color="@link")
    sheet.add("QPushButton[kind='tab']:focus", border="1px solid @accent")
    sheet.add(
        "QPushButton[kind='link']",
        background="transparent",
        border="1px solid transparent",
        color="@link",
        padding="0 4px",
    )
    sheet.add("QPushButton[kind='link']:hover", text_decoration="underline")
    sheet.add("QPushButton[kind='link']:focus", border="1px solid @accent")
    plain = "QPushButton[kind='plain_on_accent']"
    sheet.add(plain, background="transparent", border="1px solid transparent", color="@on_accent")
    sheet.add(f"{plain}:hover, {plain}:focus", border="1px solid @on_accent")
    sheet.add("QPushButton[large='true']", min_height=sheet.px(41), font_size=sheet.px(14))
    sheet.add("QPushButton[small='true']", min_height=sheet.px(24), padding="0 10px", font_size=sheet.px(12))
    sheet.add("QPushButton[kind='link'][small='true']", padding="0 4px")
    sheet.add(
        "QToolButton", background="transparent", border="1px solid transparent", border_radius=f"{RADIUS_BUTTON}px"
    )
    sheet.add("QToolButton:hover", background="@hover")
    sheet.add("QToolButton:pressed, QToolButton:checked", background="@selected")
    sheet.add("QToolButton:focus", border="1px solid @accent")
    sheet.add("QToolButton::menu-indicator", image="none", width="0")


def _fields(sheet: _Sheet) -> None:
    fields = "QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QSpinBox, QDateTimeEdit"
    sheet.add(
        fields,
        background="@surface",
        border="1px solid @line",
        border_radius=f"{RADIUS_BUTTON}px",
        selection_background_color="@selection",
        selection_color="@ink",
    )
    sheet.add("QLineEdit, QComboBox, QSpinBox, QDateTimeEdit", min_height=sheet.px(CONTROL_HEIGHT - 2), padding="0 8px")
    sheet.add(", ".join(f"{name}:focus" for name in fields.split(", ")), border="1px solid @accent")
    sheet.add(", ".join(f"{name}:disabled" for name in fields.split(", ")), background="@bg", color="@faint")
    sheet.add("QLineEdit[invalid='true']", border="1px solid @red")
    sheet.add("QLineEdit[large='true'], QComboBox[large='true']", min_height=sheet.px(37), padding="0 12px")
    sheet.add("QLineEdit[look='search']", background="@field", border="1px solid transparent", font_size=sheet.px(12))
    sheet.add("QLineEdit[look='search']:focus", background="@surface", border="1px solid @accent")
    bare = "QLineEdit[look='bare'], QLineEdit[look='bare']:focus"
    sheet.add(bare, background="transparent", border="0", font_size=sheet.px(15), min_height=sheet.px(CONTROL_HEIGHT))
    sheet.add(
        "QTextEdit[look='bare'], QPlainTextEdit[look='bare'], QTextBrowser[look='bare']",
        background="transparent",
        border="0",
    )
    sheet.add("QComboBox::drop-down, QDateTimeEdit::drop-down", border="0", width="28px")
    sheet.add("QComboBox::down-arrow, QDateTimeEdit::down-arrow", image="none")
    sheet.add(
        "QComboBox QAbstractItemView", background="@surface", border="1px solid @line", outline="0", padding="4px"
    )


def _choices(sheet: _Sheet) -> None:
    sheet.add("QCheckBox, QRadioButton", spacing="6px", background="transparent")
    sheet.add("QCheckBox:focus, QRadioButton:focus", color="@link")
    sheet.add("QProgressBar", background="@line", border="0", border_radius="2px", max_height="4px", min_height="4px")
    sheet.add("QProgressBar::chunk", background="@accent", border_radius="2px")
    sheet.add("QSlider::groove:horizontal", background="@line", height="4px", border_radius="2px")
    sheet.add("QSlider::handle:horizontal", background="@accent", width="14px", margin="-5px 0", border_radius="7px")


def _lists(sheet: _Sheet) -> None:
    sheet.add("QAbstractScrollArea", border="0")
    sheet.add("QAbstractScrollArea::corner", background="transparent", border="0")
    for name in ("QPlainTextEdit", "QTextEdit"):  # a text of several lines in a form has the edge of a field
        sheet.add(f"{name}[look='field']", border="1px solid @line")
        sheet.add(f"{name}[look='field']:focus", border="1px solid @accent")
        sheet.add(f"{name}[invalid='true']", border="1px solid @red")
    sheet.add("QComboBox[invalid='true']", border="1px solid @red")
    sheet.add("QListView, QTreeView, QTableView", background="@surface", border="0", outline="0")
    sheet.add("QListView[look='pane'], QTreeView[look='pane']", background="@pane")
    sheet.add("QListView[look='drop']", border="1px solid @line_strong")
    sheet.add("QListView[look='drop']::item", padding="5px 8px")
    sheet.add("QTreeView::item, QTableView::item", padding="4px 6px", border="0")
    sheet.add("QListView::item:hover, QTreeView::item:hover, QTableView::item:hover", background="@hover")
    sheet.add(
        "QListView::item:selected, QTreeView::item:selected, QTableView::item:selected",
        background="@selected",
        color="@ink",
    )
    sheet.add("QHeaderView", background="@surface")
    sheet.add("QTableCornerButton::section", background="@surface", border="0", border_bottom="1px solid @line")
    sheet.add(
        "QHeaderView::section",
        background="@surface",
        color="@ink3",
        border="0",
        border_bottom="1px solid @line",
        padding="6px",
    )
    sheet.add("QTabBar", background="transparent")
    sheet.add(
        "QTabBar::tab",
        background="transparent",
        color="@ink2",
        padding="8px 12px",
        border="0",
        border_bottom="2px solid transparent",
    )
    sheet.add("QTabBar::tab:selected", color="@link", border_bottom="2px solid @accent")
    sheet.add("QTabBar::tab:focus", color="@ink")
    sheet.add("QTabWidget::pane", border="0")


def _menus(sheet: _Sheet) -> None:
    sheet.add("QMenu", background="@surface", border="1px solid @line", border_radius=f"{RADIUS_CARD}px", padding="4px")
    sheet.add("QMenu::item", padding="6px 24px 6px 12px", border_radius="4px", background="transparent")
    sheet.add("QMenu::item:selected", background="@selected")
    sheet.add("QMenu::item:disabled", color="@faint")
    sheet.add("QMenu::icon", padding_left="8px")
    sheet.add("QMenu::separator", height="1px", background="@line", margin="4px 8px")


def _scroll_bars(sheet: _Sheet) -> None:
    sheet.add("QScrollBar:vertical", background="transparent", width="10px", margin="0", border="0")
    sheet.add("QScrollBar:horizontal", background="transparent", height="10px", margin="0", border="0")
    sheet.add("QScrollBar::handle", background="@scroll", border_radius="3px", margin="2px")
    sheet.add("QScrollBar::handle:vertical", min_height="32px")
    sheet.add("QScrollBar::handle:horizontal", min_width="32px")
    sheet.add("QScrollBar::handle:hover", background="@faint")
    sheet.add("QScrollBar::add-line, QScrollBar::sub-line", width="0", height="0")
    sheet.add("QScrollBar::add-page, QScrollBar::sub-page", background="transparent")


def _bars(sheet: _Sheet) -> None:
    for tone in ("red", "green", "amber", "accent"):
        sheet.add(f"QFrame[banner='{tone}']", background=f"@{tone}_soft", border="0", border_bottom="1px solid @line")
    sheet.add("QFrame[surface='rail']", background="@rail", border="0")
    sheet.add("QFrame[surface='snack']", background="@snack", border="0", border_radius=f"{RADIUS_BUTTON}px")
    sheet.add("QFrame[surface='snack'] QLabel", color="@on_snack")
