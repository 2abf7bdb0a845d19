"""What is asked once more before it is done: what will be, who will see what, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Response

from tocsin.server.asked import AnyRequest
from tocsin.server.rooms.shown import page


def isolated(text: str) -> str:
    """Somebody's words in a line of the page's: whichever way they run, the rest of the line stays in order (Unicode's FSI and PDI)."""
    return f"\u2068{text}\u2069"


def each_of(reports: int) -> str:
    """So many reports, in a sentence."""
    return "the one report" if reports == 1 else f"each of the {reports} reports"


def sure(
    request: AnyRequest, action: str, said: dict[str, Any], title: str, tells: Sequence[str], *, back: str, **more: Any
) -> Response[str]:
    """A page that says what a form will do, and sends the same form again with `sure` when it is pressed. more: `lists` of (heading, lines), `button`."""
    fields = [(name, value) for name, values in said.items() for value in (values if isinstance(values, list) else [values])]
    kept = [(name, value) for name, value in fields if name not in ("form", "sure")]
    return page(
        request, "confirm.html", 200, action=action, fields=kept, why=said.get("why", ""), title=title, tells=tells, back=back, **more
    )
