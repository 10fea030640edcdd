"""Whether other programs want this process's cores, told from what the system has done with its threads meanwhile."""

from __future__ import annotations

import time

LEAST_SHARE = 0.85
"""Time of the processor, as a share of what the threads could have had. Measured on two cores: 0.97 and more alone, 0.61 to 0.64 beside one other program."""
MOST_PUT_OFF = 100.0
"""Times a second that a thread was put off a core although it had work. Measured likewise: 43 to 62, and 183 to 206."""


class Crowd:
    """Watches from when it is made.

    Where the system does not tell how often a thread was put off (Windows), no machine is ever crowded.
    """

    def __init__(self) -> None:
        self.begun = time.perf_counter()
        self.worked = time.process_time()
        self.put_off = _put_off()

    def there(self, threads: float) -> bool:
        """Whether ``threads``, or so many on the average, that had work all the while had to share their cores: both signs must say so, since each alone has other causes.

        Threads of a network that does little at once sleep between its operations, and many threads are now and then put off by themselves.
        """
        seconds = time.perf_counter() - self.begun
        if seconds <= 0:
            return False
        share = (time.process_time() - self.worked) / (seconds * threads)
        return share < LEAST_SHARE and (_put_off() - self.put_off) / seconds > MOST_PUT_OFF


def _put_off() -> int:
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
