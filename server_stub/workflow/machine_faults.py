"""What can go wrong with a running case. After any of these the Machine is as it was before the call, and a saved state is never touched."""

from collections.abc import Sequence
from typing import Final


class ProcessError(Exception):
    """A call on a running case that could not be done; `element` is the id in the file it is about, "" when none."""

    def __init__(self, message: str, element: str = "") -> None:
        self.element: Final = element
        super().__init__(message)


class ProcessRunaway(ProcessError):
    """More engine steps in one call than allowed: a loop with no step for a person in it."""


class ProcessTooLarge(ProcessError):
    """The data, the history, the instances or the depth of calls would grow past the limit."""


class ProcessFailed(ProcessError):
    """An expression, a script, a service or a timer of the file failed, or a gateway had no way out; `element` says which."""


class ProcessStuck(ProcessError):
    """The call would leave a case with nothing to wait for and no end reached: branches that can never join. `element` is the join."""


class NoSuchToken(ProcessError):
    """The token is not (or no longer) open."""


class CannotGoBack(ProcessError):
    """The step is none of `earlier_steps` of the token."""


class CannotMove(ProcessError):
    """The running case has something that the other version has no place for: `steps`, ids of the old version, in order."""

    def __init__(self, steps: Sequence[str]) -> None:
        self.steps: Final = tuple(steps)
        super().__init__("no place in the other version for " + ", ".join(steps), self.steps[0] if self.steps else "")


class ProcessRefused(ProcessError):
    """SpiffWorkflow cannot run this file, or it uses an element we do not run; `element` says which."""


class StateRefused(ProcessError):
    """The bytes are no saved state, a damaged one, one of another format version, or of another process."""
