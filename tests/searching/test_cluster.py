"""Two Ray workers on one machine make the same set of trials as two processes do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from glassnet.searching import Cluster, Job, Pool, Range, Study, Trial

pytest.importorskip("ray", reason="Ray is not installed: pip install 'glassnet[cluster]'")
SPACE = (Range("x", 0.0, 1.0), Range("y", 1e-4, 1.0, log=True))


def jobs(of: Study) -> Iterator[Job]:
    while of.asked < of.trials:
        number, settings = of.ask()
        yield Job(1, number, settings, {})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Ray's own
def test_ray_makes_the_same_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    found = {}
    for name in ("here", "ray"):
        (tmp_path / name).mkdir()
        of = Study(tmp_path / name / "search.db", 1, SPACE, "random", "none", 0, 6)
        config = {"folder": str(tmp_path / name), "dies": 3}
        with Cluster("toy:maker", config, 2, "local") if name == "ray" else Pool("toy:maker", config, 2) as pool:
            for job, record in pool.run(jobs(of), lambda job, epoch, value, of=of: of.report(job.number, epoch, value)):
                of.tell(Trial(1, job.number, job.settings, record["end"], record["value"], record["epochs"], 0.0))
        found[name] = of.ended()
    assert found["ray"] == found["here"]
    assert [trial.end for trial in found["ray"]] == ["done"] * 6
