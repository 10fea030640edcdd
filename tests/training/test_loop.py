"""The loop against a loop written by hand, and what it tells."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import update_bn

from glassnet.events import Epoch, Event, Finished, Started, Step, Timing
from glassnet.training import Plan, State, train
from glassnet.training.averaging import Averager
from glassnet.training.clipping import Clip
from glassnet.training.evaluate import accuracy, evaluate, explained, outputs_of
from glassnet.training.losses import EveryStep, cross_entropy
from glassnet.training.noise import weight_noise
from glassnet.training.penalties import Penalty
from glassnet.training.schedules import make_schedule
from glassnet.training.step import backward
from glassnet.training.stopping import EarlyStopping

if TYPE_CHECKING:
    from conftest import Fixed

    Sets = tuple[Fixed, Fixed, Fixed]


def small_net(*, dropout: float = 0.0, norm: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    middle: list[nn.Module] = [nn.BatchNorm1d(8)] if norm else []
    return nn.Sequential(nn.Linear(2, 8), *middle, nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 3))


def sgd(net: nn.Module, lr: float = 0.1, **options: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(net.parameters(), lr=lr, **options)


def plan(**parts: Any) -> Plan:
    return Plan(**{"loss": cross_entropy, "optimizer": sgd, "epochs": 3, "record_every": 1} | parts)


def weights(net: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}


def equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def of_kind(kind: type[Event], events: list[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


OPTIMIZERS: dict[str, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "sgd": partial(sgd, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda net: torch.optim.Adam(net.parameters(), lr=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_equals_a_loop_written_by_hand_bit_for_bit(data: Sets, name: str) -> None:
    batches, _, _ = data
    ours, theirs = small_net(dropout=0.3, norm=True), small_net(dropout=0.3, norm=True)
    torch.manual_seed(1)
    events = list(train(ours, batches, plan(optimizer=OPTIMIZERS[name])))

    torch.manual_seed(1)
    optimizer = OPTIMIZERS[name](theirs)
    losses = []
    theirs.train()
    for epoch in range(3):
        for inputs, targets in batches.epoch(epoch):
            optimizer.zero_grad()
            loss = F.cross_entropy(theirs(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
    assert equal(weights(ours), weights(theirs))
    assert [step.loss for step in of_kind(Step, events)] == losses


def test_the_loss_falls_and_the_network_learns(data: Sets) -> None:
    batches, validation, sample = data
    events = list(train(small_net(), batches, plan(epochs=15, figures=accuracy), validation=validation, sample=sample))
    told = of_kind(Epoch, events)
    assert told[-1].running_loss < 0.5 * told[0].running_loss
    assert told[-1].train["accuracy"] > 0.8
    assert told[-1].val["accuracy"] > 0.8


def test_events_come_in_order_and_count(data: Sets) -> None:
    batches, validation, _ = data
    net = small_net()
    events = list(train(net, batches, plan(epochs=2), validation=validation))
    kinds = [type(event).__name__ for event in events]
    assert kinds == ["Started", *(["Step"] * 6 + ["Epoch", "Timing"]) * 2, "Finished"]
    assert events[0] == Started(48, 6, 2, sum(p.numel() for p in net.parameters()))
    steps = of_kind(Step, events)
    assert [step.step for step in steps] == list(range(1, 13))
    assert [step.epoch for step in steps] == [0] * 6 + [1] * 6
    assert [step.samples for step in steps] == list(range(8, 97, 8))
    assert [(epoch.epoch, epoch.step) for epoch in of_kind(Epoch, events)] == [(0, 6), (1, 12)]
    assert events[-1] == Finished("completed", 2, 12, 1, None)
    for timing in of_kind(Timing, events):
        assert timing.images_per_second == pytest.approx(48 / timing.seconds)


def test_the_caller_has_its_time_to_itself(data: Sets, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    seconds = []
    for event in train(small_net(), data[0], plan(epochs=1)):
        now[0] += 100.0
        if isinstance(event, Timing):
            seconds.append(event.seconds)
    assert seconds == [0.0]


def test_losses_are_read_at_the_recording_interval_only(data: Sets) -> None:
    events = list(train(small_net(), data[0], plan(epochs=2, record_every=5)))
    assert [step.step for step in of_kind(Step, events) if step.loss is not None] == [1, 6, 11]


def test_both_figures_are_measured_in_evaluation_mode_with_the_weights_at_the_end_of_the_epoch(data: Sets) -> None:
    batches, validation, sample = data
    net = small_net(dropout=0.5, norm=True)
    for event in train(net, batches, plan(figures=accuracy), validation=validation, sample=sample):
        if isinstance(event, Epoch):
            judged = copy.deepcopy(net).eval()
            for figures, part in ((event.train, sample), (event.val, validation)):
                with torch.no_grad():
                    outputs = judged(part.inputs)
                assert figures["loss"] == pytest.approx(float(F.cross_entropy(outputs, part.targets)), rel=1e-6)
                assert figures["accuracy"] == float((outputs.argmax(1) == part.targets).double().mean())


def test_measuring_changes_neither_weights_nor_random_numbers_nor_modes(data: Sets) -> None:
    batches, validation, sample = data
    alone, watched = small_net(dropout=0.5, norm=True), small_net(dropout=0.5, norm=True)
    for net, parts in ((alone, {}), (watched, {"validation": validation, "sample": sample})):
        torch.manual_seed(5)
        list(train(net, batches, plan(), **parts))
    assert equal(weights(alone), weights(watched))

    watched.train()
    watched[1].eval()  # a frozen layer
    evaluate(watched, validation.epoch(0), plan())
    assert [module.training for module in watched] == [True, False, True, True, True]


def test_the_network_is_in_training_mode_in_every_step_whatever_the_caller_does(data: Sets) -> None:
    net = small_net(dropout=0.5)
    modes = []
    net.register_forward_hook(lambda module, *_: modes.append(module.training))
    for _ in train(net, data[0], plan(epochs=1)):
        net.eval()
    assert modes == [True] * 6


def test_the_running_loss_is_the_mean_over_the_epochs_batches(data: Sets) -> None:
    events = list(train(small_net(), data[0], plan()))
    steps, epochs = of_kind(Step, events), of_kind(Epoch, events)
    for epoch in epochs:
        of_epoch = [step.loss for step in steps if step.epoch == epoch.epoch]
        assert epoch.running_loss == pytest.approx(sum(of_epoch) / 6, rel=1e-12)


@pytest.mark.parametrize("pieces", [2, 3, 7, 8])
def test_micro_batches_give_the_gradient_of_the_whole_batch(data: Sets, pieces: int) -> None:
    inputs, targets = data[0].inputs[:13].double(), data[0].targets[:13]
    gradients = []
    for count in (1, pieces):
        net = small_net().double()
        state = State(net, plan())
        loss, penalty, _ = backward(state, plan(micro_batches=count, penalty=Penalty(l2=0.1)), inputs, targets)
        assert penalty is not None
        gradients.append([loss.double(), penalty, *[p.grad for p in net.parameters()]])
    for whole, cut in zip(*gradients, strict=True):
        assert torch.allclose(whole, cut, rtol=1e-6 if whole.ndim == 0 else 0, atol=1e-12)


def test_more_micro_batches_than_samples_are_no_trouble(data: Sets) -> None:
    whole, cut = small_net(), small_net()
    list(train(whole, data[0], plan(epochs=1)))
    list(train(cut, data[0], plan(epochs=1, micro_batches=100)))
    for one, other in zip(whole.parameters(), cut.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_the_penalty_is_shown_apart_and_its_gradient_is_felt(data: Sets) -> None:
    net = small_net()
    squares = sum(float(p.detach().square().sum()) for p in net.parameters() if p.ndim >= 2)
    plain, penalised = small_net(), net
    first = next(event for event in train(plain, data[0], plan()) if isinstance(event, Step))
    events = list(train(penalised, data[0], plan(epochs=1, penalty=Penalty(l2=0.05))))
    step = of_kind(Step, events)[0]
    assert step.loss == first.loss
    assert step.penalty == pytest.approx(0.05 * squares, rel=1e-6)
    assert first.penalty == 0.0
    penalties = [step.penalty for step in of_kind(Step, events)]
    assert of_kind(Epoch, events)[0].penalty == pytest.approx(sum(penalties) / 6, rel=1e-6)

    # l2 of d/2 is SGD's weight decay of d, on the same parameters.
    decayed = small_net()

    def decaying(net: nn.Module) -> torch.optim.Optimizer:
        groups = [{"params": [p for p in net.parameters() if (p.ndim >= 2) == big], "weight_decay": decay} for big, decay in ((True, 0.1), (False, 0.0))]  # fmt: skip
        return torch.optim.SGD(groups, lr=0.1)

    list(train(decayed, data[0], plan(epochs=1, optimizer=decaying)))
    for one, other in zip(penalised.parameters(), decayed.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_the_share_of_clipped_steps_is_that_of_the_norms_beyond_the_limit(data: Sets) -> None:
    norms = [step.grad_norm for step in of_kind(Step, list(train(small_net(), data[0], plan(clip=Clip(norm=1e9)))))]
    limit = sorted(norms)[len(norms) // 2]
    events = list(train(small_net(), data[0], plan(clip=Clip(norm=limit))))
    steps = of_kind(Step, events)
    for epoch in of_kind(Epoch, events):
        beyond = [step.grad_norm > limit for step in steps if step.epoch == epoch.epoch]
        assert epoch.clipped == pytest.approx(sum(beyond) / 6)
    assert 0 < sum(epoch.clipped for epoch in of_kind(Epoch, events)) < 3
    assert [step.grad_norm for step in of_kind(Step, list(train(small_net(), data[0], plan())))] == [None] * 18


def test_a_clipped_step_is_no_longer_than_the_limit_times_the_rate(data: Sets) -> None:
    net = small_net()
    before = torch.cat([p.detach().flatten().clone() for p in net.parameters()])
    for event in train(net, data[0], plan(clip=Clip(norm=0.01))):
        if isinstance(event, Step):
            after = torch.cat([p.detach().flatten().clone() for p in net.parameters()])
            assert float((after - before).norm()) == pytest.approx(0.1 * 0.01, rel=1e-3)
            before = after


def test_weight_noise_is_felt_by_the_gradient_alone(data: Sets) -> None:
    noisy, plain = small_net(), small_net()
    at_update: list[dict[str, Tensor]] = []
    before = weights(noisy)
    step_of = sgd

    def spying(net: nn.Module) -> torch.optim.Optimizer:
        optimizer = step_of(net)
        optimizer.register_step_pre_hook(lambda *_: at_update.append(weights(net)))
        return optimizer

    list(train(noisy, data[0], plan(epochs=1, optimizer=spying, around_step=weight_noise(0.5))))
    list(train(plain, data[0], plan(epochs=1)))
    assert equal(at_update[0], before), "its own weights are back before the update"
    assert not equal(weights(noisy), weights(plain)), "the gradient was another"


def test_weight_noise_is_taken_back_when_a_step_fails(data: Sets) -> None:
    def failing(outputs: Tensor, targets: Tensor) -> Tensor:
        raise RuntimeError("in the middle")

    net = small_net()
    before = weights(net)
    with pytest.raises(RuntimeError, match="in the middle"):
        list(train(net, data[0], plan(loss=failing, around_step=weight_noise(0.5))))
    assert equal(weights(net), before)


def test_the_weights_are_corrected_after_every_step(data: Sets) -> None:
    def halve(net: nn.Module) -> None:
        with torch.no_grad():
            net[0].weight.clamp_(-0.1, 0.1)  # type: ignore[index, union-attr, operator]

    net = small_net()
    for event in train(net, data[0], plan(epochs=1, after_step=halve)):
        if isinstance(event, Step):
            assert net[0].weight.abs().max() <= 0.1  # type: ignore[union-attr, operator]


def test_what_is_evaluated_and_kept_is_the_average_while_training_goes_on_with_the_weights(data: Sets) -> None:
    batches, validation, _ = data
    averaged, plain = small_net(norm=True), small_net(norm=True)
    stopping = partial(EarlyStopping, "loss")
    averager_plan = plan(averager=partial(Averager, decay=0.9), stopping=stopping)
    state = State(averaged, averager_plan)
    for event in train(averaged, batches, averager_plan, validation=validation, state=state):
        if isinstance(event, Epoch):
            assert state.averager is not None
            judged = small_net(norm=True)
            judged.load_state_dict(dict(zip(averaged.state_dict(), state.averager.average, strict=True)))
            assert event.val["loss"] == evaluate(judged, validation.epoch(0), plan())["loss"]
            if event.best:
                assert state.best_weights is not None
                assert equal(state.best_weights, weights(judged))
    list(train(plain, batches, plan()))
    assert equal(weights(averaged), weights(plain)), "the average does not disturb the training"


def test_an_average_of_epochs_is_judged_and_kept_with_statistics_of_its_own(data: Sets) -> None:
    batches, validation, _ = data
    averaged, plain = small_net(norm=True, dropout=0.2), small_net(norm=True, dropout=0.2)
    steps = batches.steps_per_epoch
    swa = partial(Averager, decay=None, begin_after=steps, every=steps)  # of the second epoch and all after it
    swa_plan = plan(averager=swa, epochs=4, stopping=partial(EarlyStopping, "loss"))
    state = State(averaged, swa_plan)
    ends: list[dict[str, Tensor]] = []
    torch.manual_seed(0)
    for event in train(averaged, batches, swa_plan, validation=validation, state=state):
        if not isinstance(event, Epoch):
            continue
        ends.append(weights(averaged))
        with torch.random.fork_rng():
            judged = small_net(norm=True, dropout=0.2)
        judged.load_state_dict(ends[-1])
        if event.epoch >= 2:
            of_weights = [name for name, _ in judged.named_parameters()]
            means = {name: torch.stack([end[name] for end in ends[1:]]).mean(0) for name in of_weights}
            judged.load_state_dict(means, strict=False)
            with torch.random.fork_rng():
                update_bn(batches.epoch(event.epoch), judged)
        assert event.val["loss"] == pytest.approx(evaluate(judged, validation.epoch(0), plan())["loss"], rel=1e-5)
        if event.best and event.epoch >= 2:
            assert state.best_weights is not None
            for name in of_weights:
                assert torch.allclose(state.best_weights[name], weights(judged)[name], atol=1e-6), name
    torch.manual_seed(0)
    list(train(plain, batches, plan(epochs=4)))
    assert equal(weights(averaged), weights(plain)), "neither the average nor its statistics disturb the training"


def test_the_best_weights_are_those_of_the_best_epoch_and_early_stopping_ends_the_run(data: Sets) -> None:
    batches, validation, _ = data
    states: list[dict[str, Tensor]] = []
    net = small_net()
    the_plan = plan(
        epochs=50,
        optimizer=partial(sgd, lr=5.0),
        stopping=partial(EarlyStopping, "loss", patience=3),
        schedule=make_schedule("constant"),
    )
    state = State(net, the_plan)
    events: list[Event] = []
    for event in train(net, batches, the_plan, validation=validation, state=state):
        events.append(event)
        if isinstance(event, Epoch):
            states.append(weights(net))
    values = [epoch.val["loss"] for epoch in of_kind(Epoch, events)]
    best = min(range(len(values)), key=values.__getitem__)
    assert events[-1] == Finished("early stop", best + 4, (best + 4) * 6, best, values[best])
    assert state.best_weights is not None
    assert equal(state.best_weights, states[best])
    assert [epoch.best for epoch in of_kind(Epoch, events)][best]


def test_lbfgs_minimises_over_the_full_batch_and_its_penalty(data: Sets) -> None:
    batches = type(data[0])(data[0].inputs.double(), data[0].targets, 48, shuffle=False)
    net = nn.Linear(2, 3).double()
    the_plan = plan(
        optimizer=lambda net: torch.optim.LBFGS(net.parameters(), lr=1.0, line_search_fn="strong_wolfe"),
        penalty=Penalty(l2=0.01),
        epochs=20,
    )
    events = list(train(net, batches, the_plan))
    value = cross_entropy(net(batches.inputs), batches.targets) + 0.01 * net.weight.square().sum()
    gradients = torch.autograd.grad(value, list(net.parameters()))
    assert max(float(g.abs().max()) for g in gradients) < 1e-5, "the optimum of a convex problem"
    costs = [step.loss + step.penalty for step in of_kind(Step, events)]
    assert all(later <= earlier + 1e-6 for earlier, later in pairwise(costs))


def test_the_schedule_sets_the_rate_of_every_group_and_keeps_their_ratio(data: Sets) -> None:
    def groups(net: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD([{"params": p, "lr": 0.1 * (1 + i)} for i, p in enumerate(net.parameters())])

    net = small_net()
    the_plan = plan(optimizer=groups, schedule=make_schedule("exponential", rate=0.5))
    state = State(net, the_plan)
    for event in train(net, data[0], the_plan, state=state):
        if isinstance(event, Step):
            factor = 2.718281828459045 ** (-0.5 * (event.step - 1) / 6)
            assert [g["lr"] for g in state.optimizer.param_groups] == pytest.approx(
                [0.1 * (1 + i) * factor for i in range(4)]
            )
            assert event.lr == pytest.approx(0.1 * factor)


def test_a_plan_serves_several_trainings_alike(data: Sets) -> None:
    batches, validation, _ = data
    the_plan = plan(
        optimizer=partial(sgd, lr=8.0),
        epochs=6,
        schedule=make_schedule("plateau", patience=0, factor=0.5),
        stopping=partial(EarlyStopping, "loss"),
    )
    runs = []
    for _ in range(2):
        torch.manual_seed(0)
        runs.append(
            [e for e in train(small_net(), batches, the_plan, validation=validation) if not isinstance(e, Timing)]
        )
    assert len({event.lr for event in of_kind(Epoch, runs[0])}) > 1, "the plateau has reduced the rate"
    assert runs[0] == runs[1]


def test_bfloat16_keeps_the_weights_in_float32_and_comes_near(data: Sets) -> None:
    exact, rough = small_net(), small_net()
    list(train(exact, data[0], plan(epochs=1)))
    events = list(train(rough, data[0], plan(epochs=1, precision="bfloat16")))
    assert all(p.dtype == torch.float32 for p in rough.parameters())
    assert all(isinstance(step.loss, float) for step in of_kind(Step, events))
    distance = max(float((a - weights(rough)[name]).abs().max()) for name, a in weights(exact).items())
    assert 0 < distance < 0.02


def test_frozen_parameters_stay_and_are_not_counted(data: Sets) -> None:
    net = small_net()
    net[0].requires_grad_(requires_grad=False)
    before = net[0].weight.detach().clone()  # type: ignore[operator, union-attr]

    def of_trained(net: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)

    started = next(iter(events := list(train(net, data[0], plan(optimizer=of_trained)))))
    assert isinstance(started, Started)
    assert started.parameters == 8 * 3 + 3
    assert torch.equal(net[0].weight, before)  # type: ignore[arg-type]
    assert len(events) == 1 + 3 * 8 + 1


def test_outputs_come_in_order_as_float32(data: Sets) -> None:
    _, validation, _ = data
    net = small_net()
    outputs, targets = outputs_of(net, validation.epoch(0), "bfloat16")
    assert outputs.dtype == torch.float32
    assert torch.equal(targets, validation.targets)
    assert torch.allclose(outputs, net.eval()(validation.inputs), atol=0.05)


def test_accuracy_of_several_logits_and_of_one() -> None:
    assert accuracy(torch.tensor([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0]]), torch.tensor([1, 0, 0])) == {"accuracy": 2 / 3}
    for logits in (torch.tensor([[0.5], [-0.5], [3.0], [0.0]]), torch.tensor([0.5, -0.5, 3.0, 0.0])):
        assert accuracy(logits, torch.tensor([1, 0, 0, 0])) == {"accuracy": 0.75}


def test_explained_variance_agrees_with_scikit_learn_and_its_landmarks() -> None:
    from sklearn.metrics import r2_score

    generator = torch.Generator().manual_seed(0)
    targets, outputs = torch.randn(50, 3, generator=generator), torch.randn(50, 3, generator=generator)
    assert explained(outputs, targets)["r2"] == pytest.approx(r2_score(targets.double(), outputs.double()), rel=1e-9)
    assert explained(targets, targets) == {"r2": 1.0}
    assert explained(targets.mean(0).expand(50, 3), targets)["r2"] == pytest.approx(0.0, abs=1e-6)
    # The border of a picture that an autoencoder is to say again never changes.
    with_border = torch.cat([targets, torch.ones(50, 2)], 1), torch.cat([outputs, torch.rand(50, 2)], 1)
    assert explained(with_border[1], with_border[0]) == explained(outputs, targets)
    assert explained(torch.ones(50, 2), torch.ones(50, 2)) == {"r2": 1.0}
    assert explained(torch.zeros(50, 2), torch.ones(50, 2)) == {"r2": 0.0}


def test_figures_of_steps_are_those_of_all_steps_that_count() -> None:
    generator = torch.Generator().manual_seed(0)
    batches, rows, wanted = [], [], []
    for batch, steps in ((3, 5), (2, 7), (1, 1)):
        logits = torch.randn(batch, steps, 5, generator=generator)
        targets = torch.randint(0, 5, (batch, steps + 2), generator=generator)
        targets[:, steps:] = -100
        for row in range(batch):
            end = int(torch.randint(1, steps + 1, (), generator=generator))
            targets[row, end:] = -100
            rows.append(logits[row, :end])
            wanted.append(targets[row, :end])
        batches.append((logits, targets))
    parts = plan(loss=EveryStep(cross_entropy), figures=accuracy)
    seen = evaluate(nn.Identity(), batches, parts)
    flat, labels = torch.cat(rows), torch.cat(wanted)
    naive = {"loss": float(cross_entropy(flat, labels))} | accuracy(flat, labels)
    assert set(naive) == {"loss", "accuracy", "second", "sure"}
    assert seen == pytest.approx({name: naive[name] for name in ("loss", "accuracy", "second")}, rel=1e-6)
    said, best = flat.topk(2).indices.T, labels
    assert naive["accuracy"] == pytest.approx(float((said[0] == best).float().mean()))
    missed = said[0] != best
    assert naive["second"] == pytest.approx(float((said[1] == best)[missed].float().mean()))
    apart = [float(row.sort(descending=True).values[0] - row.sort(descending=True).values[1]) for row in flat]
    surest = sorted(range(len(flat)), key=lambda row: -apart[row])[: len(flat) // 4]
    assert naive["sure"] == pytest.approx(float((said[0] == best)[surest].float().mean()))
