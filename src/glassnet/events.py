"""What training tells: frozen records of numbers and strings, written to ``metrics.jsonl`` and read by everyone who looks.

An event holds nothing that depends on the clock or on the machine, so that an interrupted and resumed run writes the same bytes as
one that was never stopped. Durations go to ``timing.jsonl`` instead (:class:`Timing`).
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any, get_args


@dataclass(frozen=True, slots=True)
class Started:
    """Before the first step of a run.

    Attributes:
        samples: training samples in an epoch.
        steps_per_epoch: optimiser steps in an epoch.
        epochs: epochs planned.
        parameters: trainable numbers in the network.
    """

    samples: int
    steps_per_epoch: int
    epochs: int
    parameters: int


@dataclass(frozen=True, slots=True)
class Step:
    """After an optimiser step.

    ``loss``, ``penalty`` and ``grad_norm`` are read from the device only at the recording interval and are None in between, because
    reading them makes the host wait for the device.

    Attributes:
        epoch: counted from 0.
        step: optimiser steps since the start of the run, counted from 1.
        lr: learning rate that this step used, of the first parameter group.
        samples: training samples seen since the start of the run.
        loss: mean data loss of this batch, without penalty.
        penalty: penalty added to it (0 without one).
        grad_norm: Euclidean norm of the whole gradient before clipping; None where nothing asked for it.
    """

    epoch: int
    step: int
    lr: float
    samples: int
    loss: float | None = None
    penalty: float | None = None
    grad_norm: float | None = None


@dataclass(frozen=True, slots=True)
class Epoch:
    """After an epoch.

    Attributes:
        epoch: counted from 0.
        step: optimiser steps since the start.
        lr: learning rate of the last step.
        running_loss: mean data loss over the epoch's batches as they were trained on (training mode, changing weights).
        penalty: mean penalty over the epoch's batches.
        clipped: share of steps whose gradient was clipped, 0 to 1.
        train: figures on a fixed sample of the training part, in evaluation mode, with the weights at the end of the epoch.
        val: the same figures on the validation part with the same weights; empty without one.
        best: whether these are the best weights so far by the monitored figure.
    """

    epoch: int
    step: int
    lr: float
    running_loss: float
    penalty: float
    clipped: float
    train: dict[str, float]
    val: dict[str, float]
    best: bool


@dataclass(frozen=True, slots=True)
class Described:
    """What is about to be trained, on what, and how: looked at once, before the first step, on a few batches.

    A figure that does not apply is left out, so rules ask with ``.get``. Names of parameters and modules are torch's dotted ones.

    Attributes:
        task: ``classes``, ``values`` or ``other``, judged by the targets.
        outputs: numbers in one output row; classes where the task is ``classes``.
        plan: ``optimizer`` (class name), ``lr``, ``momentum``, ``weight_decay``, ``batch_size``, ``micro_batches``, ``epochs``,
            ``steps_per_epoch``, ``loss`` (recipe name, or class or function name), ``clip`` (bool), ``penalty`` (bool), ``precision``,
            ``label_smoothing``, ``weighted`` (the loss has weights for classes), ``rates`` (what the schedule will multiply the rate by, evenly from the first step to the last).
        net: ``parameters``, ``trainable``; lists of names ``frozen`` (not to be trained), ``frozen_layers`` (modules with weights, none of which is to be trained), ``unreached`` (no gradient arrives),
            ``zero_gradient`` (one arrives and is exactly zero), ``not_optimised`` (to be trained, yet unknown to the optimiser),
            ``hidden`` (a gradient reaches them, but they are in no ``parameters()`` of the network),
            ``identical_units`` (weights whose rows are all the same), ``stuck_in_eval`` and ``stuck_in_train`` (modules that ``net.train()`` and ``net.eval()`` do not switch); counts
            ``batch_norms``, ``dropouts``, the largest rate ``dropout``, ``recurrents``, ``weight_layers``, ``nonlinearities``; ``first`` and ``last`` (classes of the first and the last module that ran), ``ends_in`` (autograd's name of the operation that made the outputs, such as ``Sigmoid``);
            ``saturated`` and ``saturated_layer`` (largest share, and where, before the first step), ``time_ratio`` (gradient at the first time step over that at the last),
            ``random_in_eval`` (two evaluations of one batch differ), ``mixes_samples`` (an evaluation depends on batch mates),
            ``mixed_after`` and ``mixed_before`` (between which modules that begins, where no batch normalisation is to blame), ``samples_as_time`` (layers that take the samples for steps of a sequence), ``affine`` (the answer half way between two inputs lies half way between their answers).
        inputs: over the samples looked at: ``samples``, ``features``, ``indices`` (they are whole numbers, such as words), ``mean``, ``std``, ``min``, ``max``, ``nonfinite`` (count), ``constant`` (share of
            features that never change), ``scale_ratio`` (largest feature std over the median one), ``offset`` (largest |mean| of a feature over its std),
            ``best_feature`` (share of the target's variance that the most telling single feature explains, 0 to 1), ``best_feature_index``,
            ``second_feature`` (the same of the next one), ``bad_row`` and ``bad_column`` (of the first input that is not finite), ``largest_row`` and
            ``largest_row_at`` (length of the largest sample over that of the median one, and which it is).
        targets: classes: ``counts`` (list), ``entropy`` (nats), ``batch_entropy`` (mean within batches as they come), ``shuffled_entropy`` (mean within
            batches of the same size drawn at random from the same samples, and ``shuffled_entropy_std`` of one batch), ``neighbour_agreement``
            (share of samples whose nearest neighbour in input space has the same class), ``chance_agreement`` (share expected of labels drawn at
            random), ``neighbour_samples``. Values: ``mean``, ``std``, ``min``, ``max``, ``whole`` (all are whole numbers), ``distinct``, ``one_hot`` (each row is one 1 among zeros), ``batch_spread`` (spread within batches as they come over that of all; 1 where they are mixed),
            ``neighbour_agreement`` (correlation with the nearest neighbour's target). Both: ``nonfinite``, ``samples``, ``out_of_range`` (class indices beyond the outputs),
            ``kernel_knows`` (accuracy or R² of kernel ridge regression on ``kernel_samples`` training samples, each answered from the others), ``linear_knows`` (the same without a kernel);
            of classes ``kernel_wrong`` (samples of both parts that it takes for another class), ``kernel_place`` (where their labels stand among its other answers, 0 for second to 1 for last, on average) and ``kernel_sure``
            (standard errors by which the answer for a sample's own class lies above the mean answer for that class).
        result: outputs of the untrained net in evaluation mode: ``mean``, ``std`` (over everything), ``between_samples`` (mean over outputs of the std over samples),
            ``min``, ``max``, ``nonnegative`` (share), ``row_sum`` (mean), ``row_sum_spread`` (std of row sums), ``log_sum_exp`` (mean), ``nonfinite``.
        start: ``loss`` (evaluation mode, untrained), ``train_loss`` (training mode), ``expected`` (of a net that knows nothing: ln of the classes, where that is the loss's
            value), ``constant`` (loss of the best constant answer), ``penalty``, ``grad_norm``, ``away`` (how surely a step down the loss
            leads away from the targets: share of the samples whose own class loses, or correlation of the loss's slope in an output with its value).
        validation: empty without a validation part, else ``samples``, ``loss`` (untrained), ``later`` (its samples come later in time, as in a forecast), ``shift`` (mean over features of |difference of means| over the training std),
            ``shift_noise`` (the same between two halves of the training samples, scaled to these sizes), ``largest_shift``, ``spread_ratio`` (median of validation std over training std),
            ``counts``, ``label_shift`` (total variation distance of the class shares), ``neighbour_distance_ratio`` (median distance of a validation sample to its nearest training sample,
            over the same among training samples), ``kernel_knows`` (accuracy or R² of the same kernel ridge regression here), ``same_inputs`` (share of validation samples that are among the training samples looked at), ``same_among`` (share of one half of these that is in the other half).
    """

    task: str
    outputs: int
    plan: dict[str, Any]
    net: dict[str, Any]
    inputs: dict[str, Any]
    targets: dict[str, Any]
    result: dict[str, Any]
    start: dict[str, Any]
    validation: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one step looked like from inside; taken at an interval, because looking costs time.

    Attributes:
        epoch: counted from 0.
        step: optimiser steps since the start, counted from 1: the step that was measured.
        lr: learning rate of that step.
        batch: figures of the whole step: ``loss`` (as trained on), ``accuracy`` (classes), ``entropy`` (nats, of the batch's labels), ``confidence`` (mean largest probability),
            ``between_samples`` (mean over outputs of the std over samples: zero when the net says the same to everything), ``grad_norm``, ``penalty``,
            ``penalty_grad_norm``, ``clip_factor`` (norm of the gradient after clipping over that before), ``before`` and ``after`` (loss on this batch just before and just after the update, same mode, same random numbers),
            ``predicted`` (g·Δw: the change that the gradient promised for the update as made, negative when it points downhill). (after − before) / predicted
            is near 1 where the step is short, about a half at the bottom of a valley, negative where it overshoots.
        layers: in forward order, one record a module that ran: ``name``, ``kind`` (``relu``, ``tanh``, ``sigmoid``, ``activation`` for other nonlinearities, ``dense``, ``conv``,
            ``recurrent``, ``norm``, ``other``), ``mean``, ``std``, ``zeros`` (share of values that are 0), ``dead`` (share of units that are 0 for the whole batch; of a
            convolution: maps), ``saturated`` (share of tanh beyond ±0.97, of sigmoid outside 0.015 to 0.985), ``nonfinite`` (count), ``units``, ``between`` (mean over units of the std over samples: what the layer tells samples apart by), ``gradient`` (root mean square
            of the loss's gradient in the output, times the batch size), ``histogram`` (20 counts from ``low`` to ``high``).
        parameters: one record a parameter with a gradient: ``name``, ``dims``, ``weight`` and ``gradient`` and ``update`` (root mean squares), ``ratio`` (norm of the update over norm
            of the weight as it was before the step), ``gain`` (of two dimensions or more: root mean square times the root of the inputs of a unit; 1 keeps the
            size of independent inputs).
        through_time: one record a recurrent module: ``name``, ``norms`` (norm of the loss's gradient in the module's input at each time, first to last).
    """

    epoch: int
    step: int
    lr: float
    batch: dict[str, float]
    layers: list[dict[str, Any]]
    parameters: list[dict[str, Any]]
    through_time: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Traced:
    """Where a strange loss came from, looked for when it happened.

    Attributes:
        step: the step with the strange loss.
        kind: ``not-finite`` or ``spike``.
        place: ``inputs``, ``targets``, ``weights``, ``activations``, ``loss`` or ``samples``: the first of these, in this order, where something is wrong.
        name: the parameter or module; empty where none is to blame.
        rows: positions within the batch of the samples to blame, worst first, at most five.
        samples: the same as positions within the training part, where the batches know it.
        column: position of the first bad number within a flattened input; None where it is not an input.
        figures: ``loss``, ``usual`` (running mean before), ``share`` (of the batch's loss that the worst row has), ``largest`` (largest finite size at the place) and the like.
    """

    step: int
    kind: str
    place: str
    name: str
    rows: list[int]
    samples: list[int]
    column: int | None
    figures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check before training found.

    Attributes:
        check: stable id, such as ``initial-loss``.
        verdict: ``passed``, ``warning``, ``failed`` or ``skipped``.
        what: one sentence with the figures.
        why: what it means; empty where it passed.
        advice: what to change; empty where it passed.
        figures: the figures behind the verdict.
        curves: named lists of numbers that are worth a picture.
    """

    check: str
    verdict: str
    what: str
    why: str
    advice: str
    figures: dict[str, float]
    curves: dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a rule of diagnosis noticed.

    Attributes:
        rule: stable id of the rule, such as ``loss-not-finite``.
        severity: ``info``, ``warning`` or ``stop``.
        step: when, in optimiser steps.
        what: what happened, with the figures.
        why: what usually causes it.
        advice: what to change.
        evidence: the figures behind it.
        remedies: changes of the recipe worth trying, each a set of dotted keys; a text such as ``*0.1`` multiplies the present value.
    """

    rule: str
    severity: str
    step: int
    what: str
    why: str
    advice: str
    evidence: dict[str, float]
    remedies: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tried:
    """What a proposed change did, measured against going on unchanged from the same weights over the same number of samples.

    Losses are the run's own (without penalty) on a fixed sample of the training part, in evaluation mode, at the end of the trial, as the mean of three
    repetitions with three orders of the batches.

    Attributes:
        rule: the finding whose advice was tried.
        changes: the recipe values that were changed.
        start: optimiser steps of the run at the fork; 0 where the trials began anew.
        steps: optimiser steps of the trial at the run's batch size.
        loss: with the change; infinite where the training broke down.
        control: the same without the change.
        figure: the monitored validation figure at the end of the trial.
        control_figure: the same without the change.
        noise: standard error of the difference in loss, from three repetitions each; a difference below 2.78 times that says nothing (Student's t, 95 %).
        words: one sentence.
    """

    rule: str
    changes: dict[str, Any]
    start: int
    steps: int
    loss: float
    control: float
    figure: float | None
    control_figure: float | None
    noise: float
    words: str


@dataclass(frozen=True, slots=True)
class Finished:
    """After the last step.

    Attributes:
        reason: ``completed``, ``early stop``, ``budget``, ``interrupted`` or ``diverged``.
        epoch: epochs completed.
        step: optimiser steps made.
        best_epoch: the epoch whose weights are kept, counted from 0; None where no epoch was finished.
        best: the monitored figure at that epoch.
    """

    reason: str
    epoch: int
    step: int
    best_epoch: int | None
    best: float | None


@dataclass(frozen=True, slots=True)
class Timing:
    """How long an epoch took; kept apart from the events above because no two runs agree on it.

    Attributes:
        epoch: counted from 0.
        seconds: wall time of the epoch's training steps.
        evaluation_seconds: wall time of the evaluation after it.
        images_per_second: training samples per second of training time.
    """

    epoch: int
    seconds: float
    evaluation_seconds: float
    images_per_second: float


@dataclass(frozen=True, slots=True)
class Threads:
    """The number of threads has changed, because a neighbour has come or gone; kept with the timings.

    Attributes:
        step: after which it changed.
        threads: inside one operation, from then on.
        gain: how many times as fast a step is as it was before.
    """

    step: int
    threads: int
    gain: float


Event = Started | Described | Step | Measured | Traced | Epoch | Checked | Finding | Tried | Finished | Timing | Threads
KINDS: dict[str, type[Event]] = {kind.__name__.lower(): kind for kind in get_args(Event)}


def to_json(event: Event) -> str:
    """One line of JSON with the event's kind first. Infinite and undefined numbers become null, since JSON has none."""
    return json.dumps({"event": type(event).__name__.lower()} | finite(asdict(event)), ensure_ascii=False)


def from_json(line: str) -> Event:
    """The event that ``to_json`` wrote."""
    fields = json.loads(line)
    kind = KINDS[fields.pop("event")]
    return kind(**fields)


def finite(value: Any) -> Any:
    """The same value with None in place of infinite and undefined numbers, which JSON has no words for."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
