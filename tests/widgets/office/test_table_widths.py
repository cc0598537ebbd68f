"""Columns take what they need, share what is left, and give up words before numbers."""

from hypothesis import given
from hypothesis import strategies as st

from desktop.ui.office.views.table_widths import Wish, spread, wish

wishes = st.lists(
    st.builds(
        lambda measured, usual, flexible: wish(measured, usual, 48, 320, flexible=flexible),
        st.integers(0, 900),
        st.integers(60, 200),
        flexible=st.booleans(),
    ),
    max_size=12,
)


@given(wishes, st.integers(0, 3000))
def test_a_row_is_filled_and_nothing_falls_below_its_least(asked: list[Wish], room: int) -> None:
    widths = spread(asked, room)
    least = sum(one.least for one in asked)
    if any(one.flexible for one in asked):
        assert sum(widths) == max(room, least)
    else:
        assert sum(widths) == least
    for width, one in zip(widths, asked, strict=True):
        assert width >= one.least
        assert one.flexible or width == one.width


def test_numbers_stay_whole_and_words_are_shortened_to_what_is_usual() -> None:
    asked = [wish(200, 118, 48, 320, flexible=True), wish(140, 88, 48, 320, flexible=False)]
    assert spread(asked, 500) == [360, 140]
    assert spread(asked, 300) == [160, 140]
    assert spread(asked, 100) == [118, 140]


def test_what_is_long_without_end_asks_for_no_more_than_the_widest() -> None:
    assert wish(5000, 118, 48, 320, flexible=True).width == 320
    assert wish(3, 118, 48, 320, flexible=False).width == 48
