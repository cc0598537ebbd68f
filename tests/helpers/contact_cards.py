"""Contacts of every shape, for property tests of files and forms."""

from hypothesis import strategies as st

from desktop.models.vcards import ContactCard


def text(most: int, *, lines: bool = False) -> st.SearchStrategy[str]:
    signs = st.one_of(
        st.characters(exclude_categories=("Cc", "Cs")), st.sampled_from("\\;,:=\"' nN林远" + ("\n" if lines else ""))
    )
    return st.text(signs, min_size=1, max_size=most).map(str.strip).filter(bool)


KINDS = ("mobile", "work", "home", "fax", "other", "email")
DATA = st.fixed_dictionaries(
    {"name": text(60)},
    optional={
        **{name: text(80) for name in ("company", "department", "post", "wechat", "website")},
        **{name: text(30) for name in ("mobile", "officePhone", "homePhone", "fax", "email")},
        "birthday": st.dates().map(lambda day: day.isoformat()),
        "address": text(120, lines=True),
        "note": text(300, lines=True),
        "more": st.lists(
            st.fixed_dictionaries({"kind": st.sampled_from(KINDS), "value": text(30)}), min_size=1, max_size=4
        ),
    },
)
CARDS = st.builds(ContactCard, data=DATA, groups=st.lists(text(20), max_size=3, unique=True).map(tuple))
