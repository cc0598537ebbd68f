"""Bars that fold: pieces give way in their order and come back; what is not shown is still said, and reached through a menu."""

from PySide6.QtWidgets import QWidget

from desktop.ui.kit import Button, ElidedLabel, HeaderBar, TabStrip
from tests.helpers.stage import play, settle, shown

TABS = [("desk", "办公桌"), ("mine", "我起草的公文"), ("issued", "已印发"), ("outgoing", "正在办理的发文")]


class Bar(HeaderBar):
    """A title, tabs and two buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ElidedLabel("公文办理与归档", role="header", strong=True, whole=True)
        self.tabs = TabStrip()
        self.tabs.set_tabs(TABS)
        self.tabs.choose("mine")
        self.save = Button("导出到表格", folded_icon="download-simple")
        self.new = Button("新建公文", kind="primary", icon="plus")
        self.line.addWidget(self.title)
        self.line.addWidget(self.tabs, 1)
        self.line.addWidget(self.save)
        self.line.addWidget(self.new)
        self.fold(self.save.set_compact, self.new.set_compact, lambda cut: self.title.set_whole(not cut))


def stand(widget: QWidget, width: int) -> QWidget:
    """Shows it in a window, for a window of its own would not let itself be narrower than its layout."""
    host = QWidget()
    widget.setParent(host)
    widget.resize(width, 56)
    shown(host, 1000, 80)
    return host


def inside(bar: Bar) -> bool:
    parts: tuple[QWidget, ...] = (bar.title, bar.tabs, bar.save, bar.new)
    return all(part.geometry().right() <= bar.width() for part in parts)


def test_pieces_give_way_in_their_order_and_come_back() -> None:
    async def scene() -> None:
        bar = Bar()
        _host = stand(bar, 900)
        await settle()
        assert (bar.folding.taken, bar.tabs.hidden_keys()) == (0, [])
        taken = []
        for width in (560, 440, 380, 320, 240):
            bar.resize(width, 56)
            await settle()
            assert inside(bar), width
            taken.append(bar.folding.taken)
        assert taken == sorted(taken)
        assert taken[-1] == 3
        assert (bar.save.text(), bar.save.accessibleName(), bar.save.toolTip()) == ("导出到表格",) * 3
        bar.new.setText("新建")  # other words while they are not shown
        assert bar.new.accessibleName() == "新建"
        bar.resize(900, 56)
        await settle()
        assert (bar.folding.taken, bar.save.accessibleName(), bar.save.toolTip()) == (0, "", "")
        bar.save.setText("导出到表格，连同所有附件和办理意见一起")
        await settle()
        assert inside(bar)

    play(scene())


def test_tabs_without_room_wait_in_a_menu_and_the_chosen_one_is_shortened_last() -> None:
    async def scene() -> None:
        strip = TabStrip(small=True, prefix="t_")
        strip.set_tabs(TABS)
        strip.choose("mine")
        chosen: list[str] = []
        strip.chosen.connect(chosen.append)
        _host = stand(strip, 320)
        await settle()
        hidden = strip.hidden_keys()
        assert hidden
        assert "mine" not in hidden
        menu = strip.more_menu()
        assert [action.text() for action in menu.actions()] == [dict(TABS)[key] for key in hidden]
        menu.actions()[-1].trigger()
        await settle()
        assert chosen == ["outgoing"]
        assert "outgoing" not in strip.hidden_keys()
        strip.resize(90, 30)
        await settle()
        tab = strip.buttons["outgoing"]
        assert strip.hidden_keys() == ["desk", "mine", "issued"]
        assert tab.geometry().right() <= strip.more.geometry().left()
        assert (tab.text(), tab.toolTip(), tab.accessibleName()) == ("正在办理的发文",) * 3
        strip.resize(700, 30)
        await settle()
        assert (strip.hidden_keys(), tab.toolTip(), strip.more.isVisible()) == ([], "", False)

    play(scene())
