"""What an expression of a process may cost, and how it fails: readable, in both languages."""

from typing import Any, Final

MAX_STEPS: Final = 20_000
"""Nodes evaluated and entries looked at, for one expression or script."""
MAX_SIZE: Final = 100_000
"""Characters and entries of one value that an expression makes."""
_OF_VALUES: Final = (list, tuple)


class EvaluationError(Exception):
    """An expression that is not allowed, or has no value here. `code` is for programs; `zh` and `en` are sentences."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)  # the first argument is a text: SpiffWorkflow puts it into its own sentence
        self.code = code
        self.zh = zh
        self.en = en


class Budget:
    """What is left for one evaluation. A fresh one each time; never shared."""

    def __init__(self, steps: int = MAX_STEPS, size: int = MAX_SIZE) -> None:
        self.steps = steps
        self.size = size

    def spend(self, steps: int = 1) -> None:
        """Count work.

        Raises:
            EvaluationError: code "tooLong".
        """
        self.steps -= steps
        if self.steps < 0:
            raise EvaluationError("tooLong", "表达式计算量过大", "the expression takes too many steps")

    def weigh(self, value: Any) -> Any:
        """The value again, if it is small enough: all that hangs on it counts, each time it is met.

        Raises:
            EvaluationError: code "tooLarge".
        """
        left = self.size
        open_values = [value]
        while open_values:
            one = open_values.pop()
            left -= 1 + (len(one) if isinstance(one, str) else 0)
            if left < 0 or len(open_values) > left:
                raise too_large()
            if isinstance(one, dict):
                left -= sum(len(key) for key in one if isinstance(key, str))
                open_values.extend(one.values())
            elif isinstance(one, _OF_VALUES):
                open_values.extend(one)
        return value


def too_large() -> EvaluationError:
    """A value nobody can mean."""
    return EvaluationError("tooLarge", "表达式的结果过大", "the value of the expression is too large")


def wrong_kind(zh: str, en: str) -> EvaluationError:
    """Values that do not go together."""
    return EvaluationError("wrongKind", zh, en)
