"""What is kept of a password knows it again and nothing else."""

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.services.password_check import fits, make_check


@settings(max_examples=5)
@given(st.text(max_size=30), st.text(max_size=30))
def test_only_the_same_password_fits(password: str, other: str) -> None:
    check = make_check(password)
    assert fits(check, password)
    assert fits(check, other) is (other == password)
    assert make_check(password) != check  # salted
