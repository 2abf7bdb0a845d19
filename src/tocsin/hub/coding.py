"""What the words of a posted report say, where its agency left a field out; by the text coder, in a process of its own.

The process (intake/coder/__main__.py) is started with the first text and stays: what a text does to it costs no other request, and a hub that gets no texts
does without its memory.
"""

from __future__ import annotations

import atexit
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

#: Seconds after which it is held to have failed; on a new machine it compiles first, for about half a minute.
PATIENCE = 120.0
TOLLS = ("killed_low", "killed", "killed_high")
CODED = (*TOLLS, "target_type", "target_group", "attack_type", "weapon_type", "wounded", "place")
SPANS = "coded_spans"

Said = dict[str, Any]


class Coding:
    """The process, and one text after another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, texts: Sequence[str]) -> list[Said]:
        """What each text says: its columns of CODED that it says anything of, and `coded_spans`. Nothing where the coder failed twice."""
        if not texts:
            return []
        with self._lock:
            found = self._asked(texts) or self._asked(texts)
        return found if found is not None else [{} for _ in texts]

    def _asked(self, texts: Sequence[str]) -> list[Said] | None:
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tocsin.intake.coder"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        process = self._process
        late = threading.Timer(PATIENCE, process.kill)
        late.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(msgspec.json.encode(texts) + b"\n")
            process.stdin.flush()
            return msgspec.json.decode(process.stdout.readline(), type=list[Said])
        except (OSError, msgspec.DecodeError):
            self._end()
            return None
        finally:
            late.cancel()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            self._end()


coding = Coding()
atexit.register(coding.close)


def with_words(posts: Sequence[Said]) -> list[Said]:
    """Each post with what its text says of fields that it leaves out, and which words say so. What the agency says stands; one toll of its own is its toll."""
    several = [n for n, post in enumerate(posts) if "text" in post]
    out = list(posts)
    for n, said in zip(several, coding([posts[n]["text"] for n in several]), strict=True):
        out[n] = posts[n] | _left_out(posts[n], said)
    return out


def _left_out(post: Mapping[str, Any], said: Mapping[str, Any]) -> Said:
    own = {*post, *(TOLLS if any(t in post for t in TOLLS) else ())}
    spans = [s for s in said.get(SPANS, ()) if s["field"] not in own]
    fields = {s["field"] for s in spans}
    return {k: said[k] for k in CODED if k in fields and k in said} | {SPANS: spans} if spans else {}
