"""tocsin push: a file's reports to a hub."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import polars as pl
from rich.console import Console

from tocsin.cli.client import TOKEN_FILE, Client, Missing, Passing, TooLarge, client_of
from tocsin.cli.options import SPEC, print_issues, reading, working
from tocsin.errors import HubError, OptionError
from tocsin.intake import read_to
from tocsin.terms.posts import as_post

MOST, LARGEST = 1_000, 8_000_000  # reports and bytes of one post; the hub takes 1,000 and 10,000,000
SHOWN = 20  # refused reports that are told of on the terminal
LONGEST = 30.0  # seconds between two tries
STATUSES = ("stored", "known", "refused")


@dataclass
class Sent:
    """How far a push is; kept in a file until it is done, so that one that was stopped goes on."""

    path: Path
    done: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    refused: list[dict[str, Any]] = field(default_factory=list)
    last: str = ""  # the id of the last report that the hub took
    warnings: list[str] = field(default_factory=list)  # all are sent under one handling, and warned of alike

    @classmethod
    def load(cls, path: Path) -> Sent:
        """What an earlier push left; nothing where it was done, or its file is damaged."""
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            counts = {s: int(said["counts"][s]) for s in STATUSES}
            return cls(path, int(said["done"]), counts, list(said["refused"]), str(said["last"]), list(said["warnings"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(path)

    def add(self, rows: list[dict[str, Any]], results: list[dict[str, Any]]) -> None:
        """What the hub said of the next rows."""
        for row, result in zip(rows, results, strict=True):
            self.counts[result["status"]] += 1
            self.warnings += [w for w in result.get("warnings", []) if w not in self.warnings]
            if result["status"] == "refused":
                self.refused.append({"file": row["file"], "row": row["row"], "reason": "; ".join(result["reasons"])})
            else:
                self.last = result["report_id"]
        self.done += len(rows)
        part = self.path.with_suffix(f".{os.getpid()}.part")  # another may send the same file at once
        said = {"done": self.done, "counts": self.counts, "refused": self.refused, "last": self.last, "warnings": self.warnings}
        part.write_text(json.dumps(said), encoding="utf-8")
        part.replace(self.path)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", "url", required=True, help="The hub's address.")
@click.option("--marking", required=True, help="Who may see the reports: CLEAR, GREEN, AMBER, AMBER+STRICT, RED.")
@click.option("--releasable-to", multiple=True, help="An agency, or group:NAME, that they may go to; may be given several times.")
@click.option("--orcon", is_flag=True, help="Who gets them passes them on only where their originator agrees.")
@SPEC
@TOKEN_FILE
@click.option("--batch", type=click.IntRange(1, MOST), default=MOST, show_default=True, help="Reports of one post.")
@click.option(
    "--patience", type=click.FloatRange(0), default=600.0, show_default=True, help="Seconds to try again while the hub does not answer."
)
@click.option("--again", is_flag=True, help="From the first report, whatever was sent before.")
@click.option("--out", type=click.Path(path_type=Path), help="CSV to write every refused report into: file, row, reason.")
def push(
    file: Path, url: str, marking: str, releasable_to: tuple[str, ...], orcon: bool, spec: Path | None, token_file: Path | None, batch: int,
    patience: float, again: bool, out: Path | None,
) -> None:  # fmt: skip
    """Send the reports of FILE, in any format that `tocsin read` knows, to a hub under one marking.

    A push that was stopped goes on where it was when it is called again; sending twice is harmless. Exit code 1 where a report was refused.
    """
    console = Console(emoji=False)  # or a name that has a colon before and after it would become a picture
    client = client_of(url, token_file)
    if out is not None:
        _writable(out)
    handling = {"marking": marking, "releasable_to": sorted(set(releasable_to)), "orcon": orcon}
    agency = _agency(_patiently(lambda: client.ask("GET", "/api/me"), patience, console), url, marking)
    with tempfile.TemporaryDirectory(prefix="tocsin-push-") as folder:
        with reading() as tell:
            sources, reasons = read_to(Path(folder), [file], spec=spec, progress=tell)
        sent = _standing(_state(url, agency, handling, sources["source_hash"][0], spec, again), client, patience, console)
        reports = pl.scan_parquet(Path(folder) / "reports.parquet")
        total = reports.select(pl.len()).collect().item()
        if sent.done:
            console.print(f"Goes on after {sent.done:,} of {total:,} reports, which the hub has answered for.", highlight=False)
        try:
            with working("sending") as progress:
                for rows in _batches(reports, sent.done, total, batch):
                    posts = [as_post(agency, row, handling) for row in rows]
                    for at, results in _send(client, posts, patience, console):
                        sent.add(rows[at : at + len(results)], results)
                        progress(sent.done, total)
        except KeyboardInterrupt:
            console.print(
                f"Stopped: the hub has answered for {sent.done:,} of {total:,} reports. The same command goes on.",
                highlight=False,
                soft_wrap=True,
            )
            raise click.exceptions.Exit(130) from None
    sent.path.unlink(missing_ok=True)
    _tell(console, file, sent, reasons, out)
    if sent.refused:
        raise click.exceptions.Exit(1)


def _writable(out: Path) -> None:
    """Raises `OptionError` before anything is sent, for what was refused is told once."""
    try:
        out.open("a").close()
    except OSError as why:
        raise OptionError(f"{out}: cannot be written ({why.strerror}); give another file with --out") from why


def _agency(me: dict[str, Any], url: str, marking: str) -> str:
    """The token's agency, where it may send under this marking. Raises `HubError`, `OptionError`."""
    if me["agency"] is None:
        raise HubError(f"{url}: this is a token of the hub's own staff, which reports nothing: use an agency's")
    if marking not in me["markings"]:
        raise OptionError(f"--marking: {marking} is none of the hub's markings: {', '.join(me['markings'])}")
    return str(me["agency"])


def _state(url: str, agency: str, handling: dict[str, Any], source: str, spec: Path | None, again: bool) -> Sent:
    """How far the same push came before: the same file, description, hub, agency and handling."""
    description = spec.read_bytes().hex() if spec is not None else ""
    key = json.dumps([url.rstrip("/"), agency, handling, source, description], sort_keys=True).encode()
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "tocsin" / "push"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as why:
        raise OptionError(f"{folder}: cannot be written ({why.strerror}); how far a push is, is kept there: set XDG_STATE_HOME") from why
    path = folder / f"{hashlib.sha256(key).hexdigest()[:32]}.json"
    return Sent(path) if again else Sent.load(path)


def _standing(sent: Sent, client: Client, patience: float, console: Console) -> Sent:
    """How far it came, where the hub still has the last that it took; nothing where it is another hub, or one made anew of an earlier copy."""
    if not sent.done:
        return sent
    try:
        if sent.last:
            _patiently(lambda: client.ask("GET", f"/api/reports/{sent.last}"), patience, console)
            return sent
    except Missing:
        pass
    console.print(
        "The hub does not have what was sent to it before: it is sent again from the first report.", highlight=False, soft_wrap=True
    )
    return Sent(sent.path)


def _batches(reports: pl.LazyFrame, done: int, total: int, batch: int) -> Iterator[list[dict[str, Any]]]:
    for at in range(done, total, batch):
        yield reports.slice(at, batch).collect().to_dicts()


def _send(client: Client, posts: list[dict[str, Any]], patience: float, console: Console) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Posts in as many requests as their size takes; gives where each begins, and the results."""
    waiting = [(0, posts)]
    while waiting:
        at, some = waiting.pop()
        body = json.dumps(some).encode()
        try:
            if len(body) > LARGEST and len(some) > 1:
                raise TooLarge
            answer = _patiently(lambda body=body: client.ask("POST", "/api/reports", body), patience, console)  # type: ignore[misc]
        except TooLarge:
            if len(some) == 1:
                raise
            half = len(some) // 2
            waiting += [(at + half, some[half:]), (at, some[:half])]
        else:
            yield at, answer["results"]


def _patiently(ask: Callable[[], dict[str, Any]], patience: float, console: Console) -> dict[str, Any]:
    """The answer, tried again after 1, 2, 4 ... seconds while the hub is away, for `patience` seconds in all."""
    end, wait = time.monotonic() + patience, 1.0
    while True:
        try:
            return ask()
        except Passing as why:
            left = end - time.monotonic()
            if left <= 0:
                raise
            pause = min(max(wait, why.after), left)
            console.print(f"{why}; trying again in {pause:.0f} s", highlight=False, markup=False)
            time.sleep(pause)
            wait = min(wait * 2, LONGEST)


def _tell(console: Console, file: Path, sent: Sent, reasons: pl.DataFrame, out: Path | None) -> None:
    counts = ", ".join(f"{sent.counts[s]:,} {s}" for s in STATUSES)
    console.print(f"{file}: {sent.done:,} reports sent: {counts}", highlight=False, markup=False, soft_wrap=True)
    for warning in sent.warnings:
        console.print(f"  warning: {warning}", highlight=False, markup=False, soft_wrap=True)
    for line in sent.refused[:SHOWN]:
        console.print(f"  refused: {line['file']}, row {line['row']}: {line['reason']}", highlight=False, markup=False, soft_wrap=True)
    if len(sent.refused) > SHOWN:
        console.print(f"  and {len(sent.refused) - SHOWN:,} more; --out FILE.csv writes all", highlight=False)
    if out is not None:
        pl.DataFrame(sent.refused, schema={"file": pl.String, "row": pl.Int64, "reason": pl.String}).write_csv(out)
    print_issues(console, reasons, limit=reasons.height)
    if reasons["len"].sum():
        console.print(
            f"Which rows: tocsin read {file} --out FOLDER writes them into FOLDER/issues.csv.",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
