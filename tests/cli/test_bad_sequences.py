"""Texts, tags, trees, series and graphs that cannot be learnt from: each command ends at once, with the file and the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from glassnet.cli import run

NODES = "".join(f"node [ id {number} class {number % 2} ] " for number in range(40))
FILES: dict[str, tuple[str | bytes, str]] = {
    "empty.txt": ("", "there is no text in it"),
    "blank.txt": ("\n \n\t\n", "there is no text in it"),
    "one.txt": ("a", "too short to learn from"),
    "zeros.txt": (b"\0" * 5_000, "not understood"),
    "empty.conll": ("", "conll"),
    "only-words.conll": ("word\n\nword\n" * 20, "conll"),
    "unbalanced.txt": ("(2 (3 good) (2 film)\n" * 30, "that nothing closes"),
    "one-row.csv": ("a,b\nx,y\n", "one-row.csv"),
    "no-rows.csv": ("a,b\n,\n,\n", "no-rows.csv"),
    "short.csv": ("t,v\n2001-01-01,1\n2001-01-02,2\n2001-01-03,3\n", "short.csv"),
    "missing.csv": ("t,v\n" + "".join(f"{2000 + i // 12}-{i % 12 + 1:02d}-01,\n" for i in range(120)), "missing.csv"),
    "empty.gml": ("", "there is no graph"),
    "open.gml": ("graph [ node [ id 1 ", "nothing closes"),
    "no-class.gml": ("graph [ node [ id 1 ] node [ id 2 ] edge [ source 1 target 2 ] ]", "have no class"),
    "no-edges.gml": (f"graph [ {NODES}]", "no edges"),
    "loops.gml": (
        f"graph [ {NODES}" + "".join(f"edge [ source {i} target {i} ] " for i in range(39)) + "]",
        "from a node to itself",
    ),
    "empty/r.pos": ("\n\n", "no text can be read"),
    "binary/r.pos": (bytes(range(256)) * 20, "this is no text"),
    "graphs/X_A.txt": ("1, 2\n", "the file is empty"),
}


@pytest.mark.parametrize("name", FILES)
def test_it_ends_in_plain_words(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, words = FILES[name]
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if name.endswith(".pos"):
        path.with_suffix(".neg").write_text("\n", encoding="utf-8")
    if name.endswith("_A.txt"):
        for ending in ("graph_indicator", "graph_labels"):
            (path.parent / f"X_{ending}.txt").write_text("", encoding="utf-8")
    place = path if path.parent == tmp_path else path.parent
    code = run(["train", str(place), "--out", str(tmp_path / "run"), "--epochs", "1"])
    told = capsys.readouterr().err
    assert code in (2, 3), told
    assert words in told
    assert "fault of Glassnet" not in told
    assert not (tmp_path / "run" / "metrics.jsonl").exists()
