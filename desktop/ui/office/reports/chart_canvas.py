"""A chart painted from the tokens: bars, lines or a pie, with names and figures beside the colors; the same painting makes the picture file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QAccessible, QColor, QFontMetrics, QHelpEvent, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QToolTip, QWidget

from desktop.models.report_table import axis_marks
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import draw_elided
from desktop.ui.kit.spoken import speak_as

BAR, GAP = 22, 10
LEGEND = 26
MOST_SLICES = 10
HUES = (2, 6, 9, 7, 10, 1, 8, 0, 5)
"""Hues of avatars that are told from the first four and from each other, those most alike last."""


@dataclass(frozen=True, slots=True)
class Line:
    """A series: its name and its values."""

    name: str
    values: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class ChartData:
    """kind: bar, line or pie. `along`: names are time, so bars stand up; else they lie, with room for names."""

    kind: str
    title: str
    names: tuple[str, ...]
    lines: tuple[Line, ...]
    text: Callable[[Decimal | None], str]
    along: bool = False

    @property
    def spoken(self) -> str:
        """The chart in words."""
        pairs = []
        for number, name in enumerate(self.names[:12]):
            figures = " / ".join(self.text(line.values[number]) or "—" for line in self.lines)
            pairs.append(f"{name} {figures}")
        return tr("office_views.chart_of", name=self.title, figures="; ".join(pairs))


def series_color(number: int) -> QColor:
    """Accent, green, amber, red, then the hues of avatars."""
    colors = theme.tokens()
    own = (colors.accent, colors.green, colors.amber, colors.red)
    if number < len(own):
        return own[number]
    return QColor(theme.AVATAR_HUES[HUES[(number - len(own)) % len(HUES)]])


class ChartCanvas(QWidget):
    """Shows ChartData; `picture()` paints it for a file."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.Chart)
        self.chart = ChartData("bar", "", (), (), str)
        self.spots: list[tuple[QRectF, str]] = []
        self.setMinimumHeight(theme.scaled(220))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self.update)
        i18n.changed.connect(self.update)

    def show_chart(self, chart: ChartData) -> None:
        """Another chart."""
        self.chart = chart
        self.setAccessibleName(chart.title)
        self.setAccessibleDescription(chart.spoken)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        if self.chart.kind == "bar" and not self.chart.along:
            rows = len(self.chart.names) * (theme.scaled(BAR + GAP)) + theme.scaled(60)
            return QSize(theme.scaled(480), max(theme.scaled(220), rows))
        return QSize(theme.scaled(480), theme.scaled(280))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.scaled(200), theme.scaled(200))

    # ---- painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint(painter, QRectF(self.rect()))
        if self.hasFocus():
            painter.setPen(QPen(theme.tokens().accent, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def picture(self, width: int = 960, ratio: float = 2.0) -> QImage:
        """The chart with its title as an image; at least as wide as said, in logical pixels."""
        head = theme.scaled(40)
        size = QSize(max(width, self.width()), max(self.sizeHint().height(), self.height()) + head)
        image = QImage(size * ratio, QImage.Format.Format_ARGB32)
        image.setDevicePixelRatio(ratio)
        image.fill(theme.tokens().surface)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = QRect(theme.scaled(16), 0, size.width() - theme.scaled(32), head)
        draw_elided(painter, place, self.chart.title, theme.font("header", bold=True), theme.tokens().ink)
        self.paint(painter, QRectF(0, head, size.width(), size.height() - head))
        painter.end()
        return image

    def paint(self, painter: QPainter, room: QRectF) -> None:
        """Paints the chart into a place."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(room, theme.tokens().surface)
        self.spots = []
        chart = self.chart
        if not chart.names:
            return
        pad = theme.scaled(16)
        room = room.adjusted(pad, theme.scaled(8), -pad, -theme.scaled(8))
        if chart.kind == "pie" and len(chart.lines) == 1:
            self._paint_pie(painter, room)
            return
        if len(chart.lines) > 1:
            room.setTop(room.top() + self._paint_legend(painter, room))
        if chart.kind == "line":
            self._paint_lines(painter, room)
        elif chart.along:
            self._paint_columns(painter, room)
        else:
            self._paint_bars(painter, room)

    def _paint_legend(self, painter: QPainter, room: QRectF) -> float:
        """Names of the series with their colors and marks. Answers the height."""
        font, colors = theme.font("secondary"), theme.tokens()
        metrics = QFontMetrics(font)
        left, top, height = room.left(), room.top(), theme.scaled(LEGEND)
        for number, line in enumerate(self.chart.lines):
            width = theme.scaled(18) + metrics.horizontalAdvance(line.name) + theme.scaled(16)
            if left + width > room.right() and left > room.left():
                left, top = room.left(), top + height
            self._mark(painter, QPointF(left + theme.scaled(6), top + height / 2), number)
            place = QRect(round(left + theme.scaled(16)), round(top), width, height)
            draw_elided(painter, place, line.name, font, colors.ink2)
            left += width
        return top + height - room.top() + 4

    @staticmethod
    def _mark(painter: QPainter, at: QPointF, number: int) -> None:
        """A series' sign: color does not stand alone."""
        side = theme.scaled(4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(series_color(number))
        match number % 4:
            case 0:
                painter.drawEllipse(at, side, side)
            case 1:
                painter.drawRect(QRectF(at.x() - side, at.y() - side, 2 * side, 2 * side))
            case 2:
                points = (at + QPointF(0, -side - 1), at + QPointF(side + 1, side), at + QPointF(-side - 1, side))
                painter.drawPolygon(QPolygonF(points))
            case _:
                points4 = (QPointF(0, -side - 1), QPointF(side + 1, 0), QPointF(0, side + 1), QPointF(-side - 1, 0))
                painter.drawPolygon(QPolygonF([at + point for point in points4]))

    # ---- standing bars and lines
    def _range(self, stacked: bool) -> tuple[Decimal, Decimal]:
        chart = self.chart
        tops, lows = [Decimal(0)], [Decimal(0)]
        for number in range(len(chart.names)):
            values = [line.values[number] or Decimal(0) for line in chart.lines]
            if stacked:
                tops.append(sum((v for v in values if v > 0), Decimal(0)))
                lows.append(sum((v for v in values if v < 0), Decimal(0)))
            else:
                tops.append(max(values))
                lows.append(min(values))
        return min(lows), max(tops)

    def _paint_axis(self, painter: QPainter, room: QRectF, stacked: bool) -> tuple[QRectF, Callable[[Decimal], float]]:
        """The figures at the left with lines across. Answers the place left and where a figure is in it."""
        marks = axis_marks(*self._range(stacked))
        font, colors = theme.font("small"), theme.tokens()
        metrics = QFontMetrics(font)
        width = max(metrics.horizontalAdvance(self.chart.text(mark)) for mark in marks) + 16
        body = room.adjusted(width, theme.scaled(14), 0, -theme.scaled(22))
        span = marks[-1] - marks[0]

        def y_of(value: Decimal) -> float:
            return body.bottom() - float((value - marks[0]) / span) * body.height()

        for mark in marks:
            y = y_of(mark)
            painter.fillRect(QRectF(body.left(), y, body.width(), 1), colors.line_strong if mark == 0 else colors.line)
            place = QRect(round(room.left()), round(y) - 10, width - 8, 20)
            draw_elided(painter, place, self.chart.text(mark), font, colors.ink3, align=Qt.AlignmentFlag.AlignRight)
        return body, y_of

    def _paint_names(self, painter: QPainter, body: QRectF, step: float) -> None:
        """Names below, as many as find room."""
        font, colors = theme.font("small"), theme.tokens()
        metrics = QFontMetrics(font)
        widest = max(metrics.horizontalAdvance(name) for name in self.chart.names) + 8
        every = max(1, -(-widest // max(1, round(step))))
        for number in range(0, len(self.chart.names), every):
            center = body.left() + (number + 0.5) * step
            place = QRectF(center - step * every / 2, body.bottom() + 2, step * every, theme.scaled(20))
            painter.setFont(font)
            painter.setPen(colors.ink3)
            words = metrics.elidedText(self.chart.names[number], Qt.TextElideMode.ElideRight, round(place.width()))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)

    def _spot(self, rect: QRectF, number: int, line: Line) -> None:
        name = f" · {line.name}" if len(self.chart.lines) > 1 else ""
        figure = self.chart.text(line.values[number]) or "—"
        self.spots.append((rect, f"{self.chart.names[number]}{name}\n{figure}"))

    def _paint_columns(self, painter: QPainter, room: QRectF) -> None:
        """Bars that stand along time; several series on top of each other."""
        body, y_of = self._paint_axis(painter, room, True)
        step = body.width() / len(self.chart.names)
        width = min(step * 0.7, theme.scaled(44))
        for number in range(len(self.chart.names)):
            up = down = Decimal(0)
            left = body.left() + (number + 0.5) * step - width / 2
            for place, line in enumerate(self.chart.lines):
                value = line.values[number] or Decimal(0)
                low, high = (up, up + value) if value >= 0 else (down + value, down)
                up, down = (high, down) if value >= 0 else (up, low)
                rect = QRectF(left, y_of(high), width, y_of(low) - y_of(high))
                painter.fillRect(rect, series_color(place))
                self._spot(
                    QRectF(left, min(rect.top(), body.bottom() - 6), width, max(6.0, rect.height())), number, line
                )
            if len(self.chart.lines) == 1:
                self._paint_value(painter, left + width / 2, y_of(up), step, self.chart.lines[0].values[number])
        self._paint_names(painter, body, step)

    def _paint_value(self, painter: QPainter, x: float, y: float, room: float, value: Decimal | None) -> None:
        words, font = self.chart.text(value), theme.font("small")
        width = QFontMetrics(font).horizontalAdvance(words)
        if words and width <= room:
            painter.setFont(font)
            painter.setPen(theme.tokens().ink2)
            place = QRectF(x - width, y - theme.scaled(16), 2 * width, theme.scaled(14))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)

    def _paint_lines(self, painter: QPainter, room: QRectF) -> None:
        body, y_of = self._paint_axis(painter, room, False)
        step = body.width() / len(self.chart.names)
        for place, line in enumerate(self.chart.lines):
            color = series_color(place)
            points: list[QPointF] = []
            for number, value in enumerate(line.values):
                if value is None:
                    self._stroke(painter, points, color)
                    points = []
                    continue
                points.append(QPointF(body.left() + (number + 0.5) * step, y_of(value)))
            self._stroke(painter, points, color)
            for number, value in enumerate(line.values):
                if value is not None:
                    at = QPointF(body.left() + (number + 0.5) * step, y_of(value))
                    self._mark(painter, at, place)
                    self._spot(QRectF(at.x() - 9, at.y() - 9, 18, 18), number, line)
                    if len(self.chart.lines) == 1:
                        self._paint_value(painter, at.x(), at.y() - 4, step, value)
        self._paint_names(painter, body, step)

    @staticmethod
    def _stroke(painter: QPainter, points: Sequence[QPointF], color: QColor) -> None:
        painter.setPen(QPen(color, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(list(points)))

    # ---- lying bars
    def _paint_bars(self, painter: QPainter, room: QRectF) -> None:
        font, colors, chart = theme.font("secondary"), theme.tokens(), self.chart
        metrics = QFontMetrics(font)
        names = min(room.width() * 0.35, max(metrics.horizontalAdvance(name) for name in chart.names) + 12)
        figures = max(metrics.horizontalAdvance(self._sum_text(number)) for number in range(len(chart.names))) + 12
        low, high = self._range(True)
        span = float(high - low) or 1.0
        width = max(20.0, room.width() - names - figures)
        zero = room.left() + names + width * float(-low) / span
        step = min(theme.scaled(BAR + GAP), room.height() / len(chart.names))
        height = min(theme.scaled(BAR), step * 0.72)
        for number, name in enumerate(chart.names):
            top = room.top() + number * step
            place = QRect(round(room.left()), round(top), round(names) - 8, round(height))
            draw_elided(painter, place, name, font, colors.ink2)
            left = right = zero
            for index, line in enumerate(chart.lines):
                value = float(line.values[number] or 0) / span * width
                rect = QRectF(right, top, value, height) if value >= 0 else QRectF(left + value, top, -value, height)
                left, right = (left, rect.right()) if value >= 0 else (rect.left(), right)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(series_color(index))
                painter.drawRoundedRect(rect, 2, 2)
                self._spot(rect.adjusted(0, 0, 2, 0), number, line)
            place = QRect(round(right) + 6, round(top), round(figures), round(height))
            draw_elided(painter, place, self._sum_text(number), font, colors.ink)
        painter.fillRect(QRectF(zero, room.top(), 1, step * len(chart.names)), colors.line_strong)

    def _sum_text(self, number: int) -> str:
        held = [value for line in self.chart.lines if (value := line.values[number]) is not None]
        return self.chart.text(sum(held, Decimal(0))) if held else ""

    # ---- pie
    def _slices(self) -> list[tuple[str, Decimal]]:
        """Positive values, the largest first; the smallest ones together."""
        line = self.chart.lines[0]
        held = [(name, value) for name, value in zip(self.chart.names, line.values, strict=True) if value and value > 0]
        if len(held) > MOST_SLICES:
            held.sort(key=lambda pair: -pair[1])
            rest = sum((value for _, value in held[MOST_SLICES - 1 :]), Decimal(0))
            held = [*held[: MOST_SLICES - 1], (tr("office_views.others"), rest)]
        return held

    def _paint_pie(self, painter: QPainter, room: QRectF) -> None:
        slices, colors = self._slices(), theme.tokens()
        total = sum((value for _, value in slices), Decimal(0))
        if not total:
            return
        side = min(room.height(), room.width() * 0.42, float(theme.scaled(260)))
        pie = QRectF(room.left(), room.top() + (room.height() - side) / 2, side, side)
        angle, font = 90 * 16, theme.font("secondary")
        row = min(float(theme.scaled(24)), room.height() / len(slices))
        top = room.top() + (room.height() - row * len(slices)) / 2
        for number, (name, value) in enumerate(slices):
            span = -round(float(value / total) * 360 * 16)
            span = span if number + 1 < len(slices) else -(angle + 270 * 16)
            painter.setPen(QPen(colors.surface, 2))
            painter.setBrush(series_color(number))
            painter.drawPie(pie, angle, span) if len(slices) > 1 else painter.drawEllipse(pie)
            angle += span
            left = pie.right() + theme.scaled(28)
            box = QRectF(left, top + number * row + row / 2 - theme.scaled(5), theme.scaled(10), theme.scaled(10))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(box, 2, 2)
            share = f"{float(value / total) * 100:.1f}%"
            place = QRect(round(left + theme.scaled(18)), round(top + number * row), 0, round(row))
            place.setRight(round(room.right()))
            words = f"{name}   {self.chart.text(value)}   {share}"
            draw_elided(painter, place, words, font, colors.ink2)
            self.spots.append((QRectF(place), words))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors.surface)
        hole = side * 0.28
        painter.drawEllipse(pie.adjusted(hole, hole, -hole, -hole))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = QPointF(event.pos())
            words = next((text for rect, text in reversed(self.spots) if rect.contains(place)), "")
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)
