"""What a gradient check found: relative errors, and what they mean in words."""

from __future__ import annotations

from dataclasses import dataclass

FINE, KINKS, WRONG = 1e-7, 1e-4, 1e-2  # relative errors
VERDICTS = (
    (FINE, "fine"),
    (KINKS, "good; right for a loss with kinks such as ReLU's"),
    (WRONG, "suspicious"),
    (float("inf"), "wrong"),
)


@dataclass(frozen=True)
class Compared:
    """One parameter's gradient, three ways.

    Attributes:
        name: of the parameter, or of the input.
        numbers: how many of its numbers were moved up and down.
        size: Euclidean norm of autograd's gradient.
        hand_autograd: relative error ‖a − b‖ / max(‖a‖, ‖b‖) over all numbers; None without gates.
        hand_numerical: over the numbers that were moved; None without gates.
        autograd_numerical: likewise; None for a formula, which PyTorch does not know.
        kinks: how many more were moved and found on a kink, where there is no one slope to compare with.
    """

    name: str
    numbers: int
    size: float
    hand_autograd: float | None
    hand_numerical: float | None
    autograd_numerical: float | None
    kinks: int = 0

    @property
    def error(self) -> float:
        """The largest of the three."""
        found = (self.hand_autograd, self.hand_numerical, self.autograd_numerical)
        return max(each for each in found if each is not None)

    @property
    def verdict(self) -> str:
        """What the largest error means, in words."""
        if self.kinks and not self.numbers:
            return "on kinks"
        if self.size == 0 and self.error == 0:
            return "no gradient reaches it"
        return verdict(self.error)


@dataclass(frozen=True)
class GradientCheck:
    """The comparison of all parameters.

    Attributes:
        loss: its value.
        rows: one a parameter, then the input.
        without_gates: why the first way was left out; "" where it was not.
    """

    loss: float
    rows: tuple[Compared, ...]
    without_gates: str = ""

    @property
    def largest(self) -> Compared:
        """The row with the largest error."""
        return max(self.rows, key=lambda row: row.error)

    @property
    def passed(self) -> bool:
        """Whether no gradient is suspicious or wrong."""
        return self.largest.error <= KINKS


def verdict(error: float) -> str:
    """What a relative error means, in words."""
    return next((words for limit, words in VERDICTS if error <= limit), "wrong")  # nan is wrong


def as_text(check: GradientCheck) -> str:
    """The comparison as a table for people, with a verdict for each parameter and for all."""
    head = ("", "hand/autograd", "hand/numeric", "autograd/numeric", "verdict")
    body = [
        (each.name, *map(_shown, (each.hand_autograd, each.hand_numerical, each.autograd_numerical)), each.verdict)
        for each in check.rows
    ]
    columns = [at for at in (1, 2, 3) if any(line[at] != "-" for line in body)]  # ways that there are
    widths = [max(len(line[column]) for line in (head, *body)) for column in range(5)]
    lines = [
        "  ".join((line[0].ljust(widths[0]), *(line[at].rjust(widths[at]) for at in columns), line[4])).rstrip()
        for line in (head, *body)
    ]
    worst = check.largest
    moved = sum(each.numbers for each in check.rows)
    lines.append("")
    lines.append(
        f"L = {check.loss:.6g}; {moved} numbers moved up and down; largest relative error {worst.error:.1e}, in {worst.name}: "
        f"{worst.verdict}"
    )
    kinks = {each.name: each.kinks for each in check.rows if each.kinks}
    if kinks:
        named = ", ".join(f"{count} of {name}" for name, count in kinks.items())
        lines.append(f"left out, since they sit on a kink (of ReLU, or of max-pooling over equal numbers): {named}")
    if check.without_gates:
        lines.append(f"two ways only, since {check.without_gates}")
    return "\n".join(lines) + "\n"


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.1e}" if value else "0"
