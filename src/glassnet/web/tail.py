"""What was appended to a growing file since the last look, read once and never twice."""

from __future__ import annotations

from pathlib import Path

from glassnet.web.reading import open_regular

LARGEST_PIECE = 1 << 20  # bytes a look; the rest comes with the next one


class Tail:
    """Whole lines of a growing file. A look at a file that did not grow costs one ``stat``.

    Args:
        path: the file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self._inode = -1

    def new_lines(self) -> tuple[bool, list[str]]:
        """Whether the file began anew (a resumed run was cut back), and the whole lines that are new.

        A line without its end stays for a later look, unless it alone is longer than ``LARGEST_PIECE``: then it is passed over in pieces.
        """
        try:
            state = self.path.stat(follow_symlinks=False)
        except OSError:
            return False, []
        anew = self._inode not in (-1, state.st_ino) or state.st_size < self.offset
        if anew:
            self.offset = 0
        self._inode = state.st_ino
        if state.st_size == self.offset:
            return anew, []
        file = open_regular(self.path)
        if file is None:
            return anew, []
        with file:
            file.seek(self.offset)
            piece = file.read(LARGEST_PIECE)
        end = piece.rfind(b"\n") + 1
        if end == 0:
            if len(piece) == LARGEST_PIECE:
                self.offset += len(piece)
            return anew, []
        self.offset += end
        return anew, piece[:end].decode("utf-8", errors="replace").splitlines()
