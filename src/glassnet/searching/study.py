"""A stage's trials as a study of Optuna: its samplers, its pruners, its storage, its importances."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from glassnet.errors import UsageError, unknown
from glassnet.searching.space import Choice, Parameter, Range, Space, belonging, draw, grid
from glassnet.searching.trial import Trial

METHODS: Mapping[str, str] = MappingProxyType(
    {
        "random": "each trial drawn from the space (Bergstra and Bengio 2012)",
        "grid": "all combinations of equally spaced values",
        "tpe": "Optuna's tree-structured Parzen estimator (Bergstra et al. 2011)",
        "gp": "Optuna's Gaussian process",
        "qmc": "Optuna's quasi-random Sobol points",
    }
)
PRUNERS: Mapping[str, str] = MappingProxyType(
    {
        "median": "worse than the median of the others after as many epochs, twice running",
        "halving": "Optuna's successive halving (Jamieson and Talwalkar 2016), asked twice running",
        "hyperband": "Optuna's Hyperband (Li et al. 2018), asked twice running",
        "none": "every trial runs to its end",
    }
)
TWICE = 2  # epochs in a row at which a trial must be hopeless: one noisy figure ends nothing
STARTUP = 5  # trials before the median means anything


def library() -> Any:
    """Optuna, quiet.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise UsageError("a search needs Optuna", fix="pip install 'glassnet[search]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def check_names(method: str, pruner: str) -> None:
    """Refuse methods and pruners that there are not.

    Raises:
        UsageError: the method, or else the pruner, is unknown.
    """
    for name, table, what in ((method, METHODS, "method"), (pruner, PRUNERS, "pruner")):
        if name not in table:
            raise unknown(what, name, table, where=f"--{what}")


REDRAWN = 20  # times, where a trial would repeat one before


class Study:
    """The trials of one stage, in a SQLite file that outlives the process.

    Args:
        path: of the file.
        stage: from 1.
        space: what is searched.
        method: a key of ``METHODS``.
        pruner: a key of ``PRUNERS``.
        seed: with it, the stage and a trial's number, ``random`` and ``grid`` are the same on any number of workers.
        trials: how many are planned.
    """

    def __init__(self, path: Path, stage: int, space: Space, method: str, pruner: str, seed: int, trials: int) -> None:
        optuna = library()
        check_names(method, pruner)
        self.stage, self.space, self.method, self.pruner, self.seed = stage, space, method, pruner, seed
        self.points = grid(space, trials) if method == "grid" else []
        self.trials = len(self.points) if method == "grid" else trials
        self._optuna = optuna
        self._study = optuna.create_study(
            storage=_storage(optuna, path),
            study_name=f"stage-{stage}",
            direction="maximize",
            sampler=_sampler(optuna, method, seed, stage),
            pruner=_pruner(optuna, pruner),
            load_if_exists=True,
        )
        self._distributions = {each.key: _distribution(optuna, each) for each in space}
        self._votes: dict[int, int] = {}
        self._trials: dict[int, Any] = {}  # handles of those that run, and the epochs that were told of them
        self._told: dict[int, set[int]] = {}
        for trial in self._study.get_trials(
            deepcopy=False
        ):  # written down by a process that was killed before it could say so
            if trial.state == optuna.trial.TrialState.RUNNING and "ended" in trial.user_attrs:
                self._close(trial.number, trial.user_attrs["ended"])

    def begun(self) -> list[tuple[int, dict[str, Any]]]:
        """Trials that were begun and not ended, when the process was killed."""
        running = self._optuna.trial.TrialState.RUNNING
        return [
            (trial.number, self._settings(trial))
            for trial in self._study.get_trials(deepcopy=False)
            if trial.state == running
        ]

    @property
    def asked(self) -> int:
        """Trials that were ever begun; one that a kill has left enqueued is not among them."""
        waiting = self._optuna.trial.TrialState.WAITING
        return sum(trial.state != waiting for trial in self._study.get_trials(deepcopy=False))

    def ask(self) -> tuple[int, dict[str, Any]]:
        """The next trial: its number and its settings."""
        number = self.asked
        if self.method in ("random", "grid") and number == len(self._study.get_trials(deepcopy=False)):
            point = self.points[number] if self.points else self._drawn(number)
            self._study.enqueue_trial(  # what does not belong to the point is drawn by the sampler, and left out again
                {each.key: _stored(each, point[each.key]) for each in self.space if each.key in point}
            )
        trial = self._study.ask(self._distributions)
        self._trials[trial.number], self._told[trial.number] = trial, set()
        return trial.number, self._settings(trial)

    def _drawn(self, number: int) -> dict[str, Any]:
        """A point that no trial before has had, where there is one to be found: of few choices chance takes the same again and again."""
        point = draw(self.space, f"{self.seed}/{self.stage}/{number}")
        if any(isinstance(each, Range) and not each.whole and each.key in point for each in self.space):
            return point  # of a range of fractions nothing comes twice
        before = [self._settings(trial) for trial in self._study.get_trials(deepcopy=False) if trial.params]
        for attempt in range(REDRAWN):
            if point not in before:
                break
            point = draw(self.space, f"{self.seed}/{self.stage}/{number}/{attempt}")
        return point

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Tell a trial's best figure after an epoch; whether it shall go on."""
        if self.pruner == "none" or not math.isfinite(value):
            return True  # what a trial reports is in its own folder too
        trial = self._trial(number)
        if epoch not in self._told[number]:  # else told before a kill
            trial.report(value, epoch)
            self._told[number].add(epoch)
        self._votes[number] = self._votes.get(number, 0) + 1 if trial.should_prune() else 0
        return self._votes[number] < TWICE

    def tell(self, trial: Trial) -> None:
        """Write down how a trial ended."""
        record = {
            "end": trial.end,
            "value": trial.value if math.isfinite(trial.value) else None,
            "epochs": trial.epochs,
            "seconds": trial.seconds,
            "why": trial.why,
        }
        self._trial(trial.number).set_user_attr("ended", record)
        self._close(trial.number, record)

    def _close(self, number: int, record: Mapping[str, Any]) -> None:
        state = self._optuna.trial.TrialState
        if record["end"] == "done" and record["value"] is not None:
            self._study.tell(number, record["value"], state=state.COMPLETE)
        else:
            self._study.tell(number, state=state.PRUNED if record["end"] == "pruned" else state.FAIL)

    def ended(self) -> list[Trial]:
        """The trials that have ended, by number."""
        found = []
        for trial in self._study.get_trials(deepcopy=False):
            record = trial.user_attrs.get("ended")
            if record and trial.state.is_finished():
                value = math.nan if record["value"] is None else float(record["value"])
                found.append(
                    Trial(
                        self.stage,
                        trial.number,
                        self._settings(trial),
                        record["end"],
                        value,
                        record["epochs"],
                        record["seconds"],
                        record["why"],
                    )
                )
        return found

    def importances(self) -> dict[str, float]:
        """How much of the figure's variation each setting explains, 0 to 1 (fANOVA, Hutter et al. 2014); empty where the trials do not say."""
        done = [trial for trial in self.ended() if trial.end == "done"]
        if len(self.space) < 2 or len(done) < 4 or len({trial.value for trial in done}) < 2:
            return {}
        evaluator = self._optuna.importance.FanovaImportanceEvaluator(seed=self.seed)
        try:
            found = self._optuna.importance.get_param_importances(self._study, evaluator=evaluator)
        except (ValueError, RuntimeError):  # too few distinct values
            return {}
        return {str(key): float(value) for key, value in found.items()}

    def _trial(self, number: int) -> Any:
        if number not in self._trials:  # begun before a kill
            frozen = self._study.get_trials(deepcopy=False)[number]
            self._trials[number] = self._optuna.trial.Trial(self._study, frozen._trial_id)
            self._told[number] = set(frozen.intermediate_values)
        return self._trials[number]

    def _settings(self, trial: Any) -> dict[str, Any]:
        return belonging(self.space, {each.key: _restored(each, trial.params[each.key]) for each in self.space})


def _storage(optuna: Any, path: Path) -> Any:
    """SQLite that appends to a log and leaves it to the system when that reaches the disk: a kill loses nothing, a power cut at most the last trials' figures."""
    import sqlalchemy

    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")

    def prepare(connection: Any, _: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    sqlalchemy.event.listen(storage.engine, "connect", prepare)
    storage.engine.dispose()  # connections that were made before
    return storage


def _stored(parameter: Parameter, value: Any) -> Any:
    return json.dumps(value) if isinstance(parameter, Choice) else value


def _restored(parameter: Parameter, value: Any) -> Any:
    return json.loads(value) if isinstance(parameter, Choice) else value


def _distribution(optuna: Any, parameter: Parameter) -> Any:
    if isinstance(parameter, Choice):
        return optuna.distributions.CategoricalDistribution([json.dumps(value) for value in parameter.values])
    if parameter.whole:
        return optuna.distributions.IntDistribution(int(parameter.low), int(parameter.high), log=parameter.log)
    return optuna.distributions.FloatDistribution(parameter.low, parameter.high, log=parameter.log)


def _sampler(optuna: Any, method: str, seed: int, stage: int) -> Any:
    own = (seed * 1000 + stage) % 2**32
    makers: dict[str, Callable[[], Any]] = {
        "tpe": lambda: optuna.samplers.TPESampler(seed=own, constant_liar=True, multivariate=True),
        "gp": lambda: optuna.samplers.GPSampler(seed=own),
        "qmc": lambda: optuna.samplers.QMCSampler(seed=own, scramble=True),
    }
    return makers.get(method, lambda: optuna.samplers.RandomSampler(seed=own))()


def _pruner(optuna: Any, name: str) -> Any:
    makers: dict[str, Callable[[], Any]] = {
        "median": lambda: optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=0, n_min_trials=STARTUP),
        "halving": lambda: optuna.pruners.SuccessiveHalvingPruner(),
        "hyperband": lambda: optuna.pruners.HyperbandPruner(),
    }
    return makers.get(name, optuna.pruners.NopPruner)()
