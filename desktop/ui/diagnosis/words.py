"""What a finding says in words: the part, what was seen, the cure. Texts are `diagnosis.<check>.<reason>` and `….cure`."""

from collections.abc import Mapping, Sequence

from desktop.core.domain.diagnosis import Finding, FindingState
from desktop.ui import i18n
from desktop.ui.i18n import tr, when

SIZES = frozenset({"size", "free"})


def title(check: str) -> str:
    """The name of a part."""
    return tr(f"diagnosis.{check}")


def told(finding: Finding) -> str:
    """What was seen."""
    return _text(_key(finding), finding)


def cure(finding: Finding) -> str:
    """What to do; empty where nothing is to be done or nothing helps."""
    key = f"{_key(finding)}.cure"
    return _text(key, finding) if i18n.has(key) else ""


def summary(findings: Sequence[Finding]) -> str:
    """The whole in one sentence."""
    failed = sum(one.state is FindingState.FAILED for one in findings)
    notable = sum(one.state is FindingState.ATTENTION for one in findings)
    if failed:
        return tr("diagnosis.summary.failed", n=failed)
    return tr("diagnosis.summary.attention", n=notable) if notable else tr("diagnosis.summary.ok")


def as_text(made_at: str, system: Mapping[str, str | int | float], findings: Sequence[Finding]) -> str:
    """The report for people."""
    lines = [tr("diagnosis.report.title"), made_at, "", summary(findings), ""]
    for one in findings:
        lines.append(f"[{tr(f'diagnosis.state.{one.state.value}')}] {title(one.check)}: {told(one)} ({one.took_ms} ms)")
        if hint := cure(one):
            lines.append(f"    → {hint}")
    return "\n".join([*lines, "", *(f"{name}: {value}" for name, value in system.items())]) + "\n"


def _key(finding: Finding) -> str:
    for key in (f"diagnosis.{finding.check}.{finding.reason}", f"diagnosis.any.{finding.reason}"):
        if i18n.has(key):
            return key
    return "diagnosis.any.other"


def _text(key: str, finding: Finding) -> str:
    data = {name: when.size(value) if name in SIZES else value for name, value in finding.data.items()}  # type: ignore[arg-type]
    try:
        return tr(key, **{"reason": finding.reason, **data})
    except KeyError:
        return tr("diagnosis.any.other", reason=finding.reason)
