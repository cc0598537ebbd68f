"""A bureau that receives and sends documents: the module as it is in the product with the seals it needs, and people with its roles."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from tests.modules.process_bench import HOUR, MONDAY, PDF, ProcessBench, Staff

__all__ = ["HOUR", "MONDAY", "PDF", "STAFF", "DocumentBench", "open_bureau"]

STAFF: Staff = {
    "liu": ("office", "收发员", ("registrar",), None),
    "min": ("office", "主任", (), None),
    "he": ("office", "秘书", ("secretary",), None),
    "gao": ("office", "局长", ("leader",), None),
    "sun": ("office", "副局长", ("leader",), None),
    "feng": ("flood", "主任", (), None),
    "jiang": ("flood", "科员", (), None),
    "ding": ("works", "科长", (), None),
    "keeper": ("office", "印章管理员", ("sealkeeper",), None),
    "root": ("office", "管理员", ("admin",), None),
}


class DocumentBench(ProcessBench):
    """The bureau. `unit` is our own bureau, `mark` its mark 云水防, `seal` its seal."""

    departments_of = MappingProxyType({"office": "办公室", "flood": "防汛办", "works": "工程科"})
    staff = STAFF
    heads = MappingProxyType({"office": "min", "flood": "feng", "works": "ding", "archive": "chen"})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "documents", "seals")
        self.seal = self.create(
            "keeper", "Seal", key="s1", name="云溪县水利局公章", kind="official", keepers=[self.person("keeper")]
        )
        unit = {"name": "云溪县水利局", "code": "YX", "own": True, "printer": "云溪县水利局办公室", "sealId": self.seal}
        self.unit = self.create("liu", "IssuingUnit", key="u1", **unit)
        self.mark = self.create("liu", "IssuingMark", key="m1", mark="云水防", unitId=self.unit)


@contextmanager
def open_bureau(folder: Path) -> Iterator[DocumentBench]:
    """A bench that closes its database."""
    bench = DocumentBench(folder)
    try:
        yield bench
    finally:
        bench.database.close_now()
