"""What one training prints on a terminal, into a pipe, under nohup, on a build machine, in a notebook and on an old Windows console."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

import glassnet
from glassnet import cli
from glassnet.cli.terminal import columns, folded, readable

SOURCE = str(Path(glassnet.__file__).parent.parent)
PROGRAM = [sys.executable, "-c", "from glassnet.cli import main; main()"]
TRAINING = [
    "train",
    "digits",
    "--net",
    "mlp",
    "--epochs",
    "2",
    "--threads",
    "1",
    "--precision",
    "float32",
    "--out",
    "run",
]
# Digits are told as #, because they follow from the machine; everything else is the same wherever one trains.
PLAIN = """\
data   digits: # classes, image #×#×#; # train, # val, # test
       Pixels were scaled from #..# to #..#.
       Validation and test parts drawn at random from the training samples, stratified by class, seed #: # training, # validation, # test.
net    mlp (as asked)
rate   adamw, lr # (usual for this net)
time   # epochs of # a step (as asked)
speed  float# (float# as asked, # thread)
change shift # (tiny images (# pixels): moved by one pixel; #% of the images have colours, #% a plain border, #% of the pixels are near black or white)
check  initial loss # (ln # = #), gradients reach all # parameters and agree with numerical ones, sizes sane; # s
epoch #/#  cost #  train #  val #  lr #e-#  #/s  *
epoch #/#  cost #  train #  val #  lr #e-#  #/s  *
measuring the baseline and a cheap rival
test part, # samples
  accuracy #%  (# % interval #% to #%), loss #
  error top-# #%, top-# #%
  macro F# #, calibration error #%; most confused: # taken for #, # times
  beside it: always “#”: accuracy #%  (the most frequent class of the training part)
  beside it: linear model: accuracy #%  (the pixels of all # training samples)
  better than the network on these data: linear model; use that, or search further
run    run  (report: run/report.html)
"""
# Eighty columns: nothing is wider, and what goes on stands beside its label.
ON_A_TERMINAL = """\
data   digits: # classes, image #×#×#; # train, # val, # test
       Pixels were scaled from #..# to #..#.
       Validation and test parts drawn at random from the training samples,
       stratified by class, seed #: # training, # validation, # test.
net    mlp (as asked)
rate   adamw, lr # (usual for this net)
time   # epochs of # a step (as asked)
speed  float# (float# as asked, # thread)
change shift # (tiny images (# pixels): moved by one pixel; #% of the images
       have colours, #% a plain border, #% of the pixels are near black or
       white)
check  initial loss # (ln # = #), gradients reach all # parameters and
       agree with numerical ones, sizes sane; # s
epoch #/#  cost #  train #  val #  lr #e-#  #/s  *
epoch #/#  cost #  train #  val #  lr #e-#  #/s  *
measuring the baseline and a cheap rival
test part, # samples
  accuracy #%  (# % interval #% to #%), loss #
  error top-# #%, top-# #%
  macro F# #, calibration error #%; most confused: # taken for #, #
    times
  beside it: always “#”: accuracy #%  (the most frequent class of the
    training part)
  beside it: linear model: accuracy #%  (the pixels of all # training
    samples)
  better than the network on these data: linear model; use that, or search
    further
run    run  (report: run/report.html)
"""


def golden(text: str) -> str:
    return re.sub(r"\d+(?:[,.]\d+)*", "#", text).replace("\r\n", "\n")


def environment(**more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "CI", "PYTHONIOENCODING", "TERM")}  # fmt: skip
    return kept | {"PYTHONPATH": SOURCE, "TERM": "xterm-256color"} | more


def on_a_terminal(place: Path, arguments: list[str], width: int = 80, **more: str) -> str:
    """All that a command writes to a terminal of this width, as it wrote it."""
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover - this is the command's process
        os.chdir(place)
        os.execve(PROGRAM[0], [*PROGRAM, *arguments], environment(**more))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    written = b""
    while True:
        try:
            piece = os.read(terminal, 65_536)
        except OSError:  # how Linux tells that the other side has closed
            break
        if not piece:
            break
        written += piece
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, written.decode()
    return written.decode()


def screen(written: str, width: int) -> list[str]:
    """The lines that stand on a terminal in the end; knows the few signs that are used: back to the line's begin, one up, wipe the line, colours."""
    lines, row, column = [""], 0, 0
    for piece in re.findall(r"\x1b\[\??\d*(?:;\d+)*[A-Za-z]|\r|\n|[^\x1b\r\n]+", written):
        if piece == "\r":
            column = 0
        elif piece == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif piece.startswith("\x1b["):
            number = int(re.sub(r"\D", "", piece) or 1)
            if piece[-1] == "A":
                row = max(row - number, 0)
            elif piece[-1] == "K":
                lines[row] = ""
            else:
                assert piece[-1] in "mhl", piece
        else:
            lines[row] = lines[row][:column].ljust(column) + piece + lines[row][column + len(piece) :]
            column += len(piece)
            assert column <= width, f"wider than the terminal: {lines[row]!r}"
    return [line.rstrip() for line in lines]


def test_on_a_terminal_lines_end_where_it_ends_and_the_live_line_is_gone(tmp_path: Path) -> None:
    written = on_a_terminal(tmp_path, TRAINING)
    assert re.search("[━─]", written)  # the live line was there; in a short training with nothing done yet
    assert golden("\n".join(screen(written, 80)).rstrip() + "\n") == ON_A_TERMINAL
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")  # the cursor is shown again


@pytest.mark.parametrize("command", [["data", "digits"], ["nets"], ["experiment"], ["check", "--rules"], ["explain", "--methods"], ["train", "--keys"]])  # fmt: skip
def test_on_a_narrow_terminal_nothing_is_wider_either(command: list[str], tmp_path: Path) -> None:
    screen(on_a_terminal(tmp_path, command, width=60), 60)


def test_a_terminal_that_cannot_go_back_gets_no_control_codes(tmp_path: Path) -> None:
    written = on_a_terminal(tmp_path, TRAINING, TERM="dumb")
    assert "\x1b" not in written
    assert golden(written) == ON_A_TERMINAL


def test_on_a_build_machine_lines_are_whole_and_plain(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, *TRAINING], cwd=tmp_path, env=environment(CI="true", TERM="dumb"), capture_output=True
    )
    assert done.stderr == b""
    assert golden(done.stdout.decode()) == PLAIN


def test_under_nohup_into_a_pipe_a_line_is_there_when_it_was_told(tmp_path: Path) -> None:
    if shutil.which("nohup") is None:
        pytest.skip("there is no nohup on this machine")
    with subprocess.Popen(["nohup", *PROGRAM, *TRAINING], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:  # fmt: skip
        assert process.stdout is not None
        read = b""
        while b"epoch 1/2" not in read:
            line = process.stdout.readline()
            assert line, read
            read += line
        assert process.poll() is None  # told while it trains, not at its end
        read += process.stdout.read()
        assert process.wait() == 0
    assert golden(read.decode()) == PLAIN


def test_in_a_notebook_whose_streams_are_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told, wrong = io.StringIO(), io.StringIO()  # as a notebook's: no descriptor, no encoding to change
    with redirect_stdout(told), redirect_stderr(wrong):
        assert cli.run(TRAINING) == 0
    assert wrong.getvalue() == ""
    assert golden(told.getvalue()) == PLAIN


def test_a_console_without_our_signs_gets_them_spelt(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, *TRAINING], cwd=tmp_path, env=environment(PYTHONIOENCODING="cp437"), capture_output=True
    )
    assert done.stderr == b""
    assert golden(done.stdout.decode("cp437")) == PLAIN.replace("×", "x").replace("“", '"').replace("”", '"')


def test_characters_without_a_spelling_are_told_by_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    readable()
    stream.write("Müll ≥ 猫")
    stream.flush()
    assert stream.buffer.getvalue() == b"M\\xfcll >= \\u732b"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("net    a small net that suits few images", "net    a small net that\n       suits few images"),
        ("  beside it: a linear model is good", "  beside it: a linear\n    model is good"),
        ("a line without any label at all", "a line without any label\nat all"),
        ("short", "short"),
        ("x" * 40, "x" * 40),
        ("", ""),
    ],
)
def test_lines_are_folded_between_words_beside_their_label(line: str, told: str) -> None:
    assert folded(line, 24) == told
    assert folded(f"{line}\n{line}", 24) == f"{told}\n{told}"


def test_only_a_terminal_has_a_width(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("COLUMNS", raising=False)
    assert columns(io.StringIO()) is None
    assert columns(Terminal()) == 80  # one that cannot say
    monkeypatch.setenv("COLUMNS", "120")
    assert columns(Terminal()) == 120
    monkeypatch.setenv("COLUMNS", "7")
    assert columns(Terminal()) == 30  # nothing can be read in so few
