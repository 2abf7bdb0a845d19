"""The log that judgements are appended to: a line each, and each line carries the hash of all before it, so that a change shows.

The chain shows that a line was changed, moved or taken out, unless all later lines were made anew: who must exclude that notes the last hash elsewhere.
"""

from __future__ import annotations

import fcntl
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tocsin.errors import InputError
from tocsin.fusion.judgements import Judgement, chained, linked, parse


def append(path: Path, *, by: str, why: str, decides: str, signed: date | None = None, **more: Any) -> tuple[Judgement, str]:
    """Appends a judgement to the log: (the judgement, its hash). Raises `InputError` where it makes no sense or the log does not hold together.

    more: what its kind needs (reports, apart_from, field, value, judgement). Written whole or not at all; two who append at once wait for each other.
    """
    if not by.strip() or not why.strip():
        raise InputError("a judgement is signed: say who decides and what it rests on")
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            entries = chained(file.read(), str(path))
            item: dict[str, Any] = {
                "id": f"{now:%Y%m%dT%H%M%SZ}-{len(entries) + 1:05}",
                "by": by.strip(),
                "signed": (signed or now.date()).isoformat(),
                "at": now.isoformat(),
                "why": why.strip(),
                "decides": decides,
                **{k: list(v) if isinstance(v, tuple) else v for k, v in more.items() if v not in (None, ())},
            }
            item["hash"] = linked(item, entries[-1]["hash"] if entries else "")
            judgement = parse(item, str(path))
            if decides == "undo" and judgement.judgement not in {e["id"] for e in entries}:
                raise InputError(f"{path}: holds no judgement {judgement.judgement!r}; `tocsin judge list` shows those that it holds")
            file.write(json.dumps(item, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as why_not:
        raise InputError(f"{path}: cannot be written ({why_not.strerror}); name another file with --log") from why_not
    return judgement, item["hash"]
