"""The text coder for another process: reads JSON, a list of texts a line, and writes what each says, a line for a line, until standard input closes.

usage: python -m tocsin.intake.coder

Of each text it gives the columns of `code` that it says anything of. It is compiled before the first line is read.
"""

import json
import sys

import polars as pl

from tocsin.intake.coder import code
from tocsin.intake.places import gazetteer_names


def main() -> None:
    """See above."""
    _said(["A bomb kills five in Karachi"])
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(json.dumps(_said(json.loads(line))).encode() + b"\n")
        sys.stdout.buffer.flush()


def _said(texts: list[str]) -> list[dict[str, object]]:
    rows = code(pl.Series("text", texts, dtype=pl.String), places=gazetteer_names()).to_dicts()
    return [{k: v for k, v in row.items() if v is not None and v != []} for row in rows]


if __name__ == "__main__":
    main()
