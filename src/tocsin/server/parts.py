"""The hub's processes, as their parent keeps them: each is told its connection on a pipe, and ends when that closes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time

from tocsin.errors import StoreError

#: The status of a part that ends to begin anew.
ANEW = 75
#: A part that ends by itself so often in a minute is not started again.
MOST_ENDS = 5


class Part:
    """`web` or `fuse`; it is started again where it ends by itself, and told the same. once: it is done when it ends, as `demo` is.

    needed: whether the hub ends where what is done once fails."""

    def __init__(self, name: str, *, once: bool = False, needed: bool = True) -> None:
        self.name, self.once, self.needed = name, once, needed
        self._told: dict[str, object] = {}
        self._ends: list[float] = []
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "tocsin.server.child", self.name], stdin=subprocess.PIPE, start_new_session=True)

    def tell(self, said: dict[str, object]) -> None:
        """What it needs to know, once."""
        assert self.process.stdin is not None
        self._told = said
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(said).encode() + b"\n")
            self.process.stdin.flush()

    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def keep(self) -> bool:
        """Starts it again where it has ended; whether it had, but for one that begins anew. Raises `StoreError` where that does not help."""
        if self.runs() or (self.once and (self.process.returncode == 0 or not self.needed)):
            return False
        if self.once:
            raise StoreError(f"the {self.name} was not made: see above")
        if self.process.returncode == ANEW:
            self._restart()
            return False
        now = time.monotonic()
        self._ends = [*(at for at in self._ends if now - at < 60), now]
        if len(self._ends) > MOST_ENDS:
            raise StoreError(
                f"the hub's {self.name} process ends by itself again and again (status {self.process.returncode}): see its log"
            )
        self._restart()
        return True

    def _restart(self) -> None:
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        self.process = self._start()
        self.tell(self._told)

    def close(self) -> None:
        """Tells it to end: it finishes what it is at."""
        if self.process.stdin is not None and self.runs():
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()

    def wait(self, seconds: float = 10) -> None:
        """Until it has ended, by force after `seconds`."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
