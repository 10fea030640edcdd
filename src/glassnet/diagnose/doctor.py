"""The doctor sees every event and tells each trouble once, causes before their consequences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from glassnet.diagnose import (
    batch_too_small_for_norm,
    class_imbalance,
    clipping_always,
    dead_units,
    distribution_shift,
    divergence,
    early_overfit,
    exploding_gradient,
    frozen_parameters,
    initial_loss_high,
    inputs_constant,
    inputs_not_finite,
    inputs_unscaled,
    labels_noisy,
    labels_unrelated,
    leaking_input,
    loss_exploding,
    loss_not_finite,
    loss_spike,
    lr_decays_early,
    lr_much_too_high,
    lr_rises,
    lr_too_high,
    lr_too_low,
    no_shuffling,
    not_optimised,
    outputs_collapsed,
    outputs_mismatch,
    overfitting,
    penalty_dominates,
    plateau,
    samples_mixed,
    saturation,
    slow_start,
    softmax_twice,
    stuck_in_eval,
    stuck_in_train,
    targets_unscaled,
    underfitting,
    unreached_parameters,
    validation_leak,
    vanishing_gradient,
    wrong_loss,
)
from glassnet.diagnose.history import History, known
from glassnet.diagnose.rule import Rule
from glassnet.events import Event, Finding, Step

# Causes first: where one event lets several rules speak, the one nearer to the root is told first, and hides what it explains.
RULES: tuple[Rule, ...] = (
    inputs_not_finite.RULE,
    no_shuffling.RULE,
    outputs_mismatch.RULE,
    inputs_constant.RULE,
    unreached_parameters.RULE,
    not_optimised.RULE,
    frozen_parameters.RULE,
    stuck_in_eval.RULE,
    stuck_in_train.RULE,
    samples_mixed.RULE,
    lr_rises.RULE,
    lr_decays_early.RULE,
    slow_start.RULE,
    softmax_twice.RULE,
    wrong_loss.RULE,
    inputs_unscaled.RULE,
    targets_unscaled.RULE,
    batch_too_small_for_norm.RULE,
    leaking_input.RULE,
    validation_leak.RULE,
    distribution_shift.RULE,
    class_imbalance.RULE,
    penalty_dominates.RULE,
    exploding_gradient.RULE,
    saturation.RULE,
    initial_loss_high.RULE,
    lr_much_too_high.RULE,
    loss_not_finite.RULE,
    divergence.RULE,
    outputs_collapsed.RULE,
    dead_units.RULE,
    loss_spike.RULE,
    loss_exploding.RULE,
    clipping_always.RULE,
    vanishing_gradient.RULE,
    lr_too_high.RULE,
    lr_too_low.RULE,
    labels_unrelated.RULE,
    labels_noisy.RULE,
    plateau.RULE,
    early_overfit.RULE,
    overfitting.RULE,
    underfitting.RULE,
)
BY_ID = {rule.id: rule for rule in RULES}


class Doctor:
    """Feeds events to the rules.

    Args:
        before: events of the same run from before an interruption, so that a resumed run is judged as an uninterrupted one.
        rules: in the order in which they may speak.
    """

    def __init__(self, before: Iterable[Event] = (), rules: tuple[Rule, ...] = RULES) -> None:
        self.history = History()
        self.rules = rules
        self.told: set[str] = set()
        for event in before:
            self.history.see(known(event))
            if isinstance(event, Finding):
                self._remember(event)

    def see(self, event: Event) -> Iterator[Finding]:
        """The findings that this event gives rise to."""
        if isinstance(event, Step) and event.loss is None:
            return  # not recorded, so it says nothing, and a resumed run will not have it
        event = known(event)
        self.history.see(event)
        for rule in self.rules:
            if rule.id in self.told or (rule.id in self.history.found and rule.severity != "stop"):
                continue
            finding = rule.judge(self.history, event)
            # What has been explained is not told again; but what ends a training ends it, explained or not.
            if finding and (rule.id not in self.history.found or finding.severity == "stop"):
                self._remember(finding)
                yield finding

    def _remember(self, finding: Finding) -> None:
        self.told.add(finding.rule)
        self.history.found.add(finding.rule)
        if finding.rule in BY_ID and finding.severity != "info":  # what is only recorded explains nothing
            self.history.found.update(BY_ID[finding.rule].explains)
