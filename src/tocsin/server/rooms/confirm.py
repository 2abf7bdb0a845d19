"""What is asked once more before it is done: what will be, who will see what, and the way back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from litestar import Response

from tocsin.errors import Malformed
from tocsin.server.asked import AnyRequest, Json, in_thread
from tocsin.server.rooms.shown import form_of, page, to


class Foretold(NamedTuple):
    """What a page says that asks once more: a title, what will be, its button, and what else it shows (`one` report, `lists`, `warnings`)."""

    title: str
    tells: list[str]
    button: str
    more: Json


def isolated(text: str) -> str:
    """Somebody's words in a line of the page's: whichever way they run, the rest of the line stays in order (Unicode's FSI and PDI)."""
    return f"\u2068{text}\u2069"


def each_of(reports: int) -> str:
    """So many reports, in a sentence."""
    return "the one report" if reports == 1 else f"each of the {reports} reports"


async def twice(
    request: AnyRequest,
    ask: Callable[[Json], Foretold],
    do: Callable[[Json], None],
    form: Callable[[Json, str], Awaitable[Response[str]]],
    *,
    back: str,
    then: str,
) -> Response[str]:
    """What every decision has in common: it is asked once more with what it will do, and done when that is pressed; then leads on.

    ask: what it will do; form: the page again, where what was said is wrong. Both may raise what `do` raises."""
    said = await form_of(request)
    try:
        told = await in_thread(ask, said)
        if "sure" in said:
            await in_thread(do, said)
            return to(then)
    except Malformed as why:
        return await form(said, str(why))
    return sure(request, request.url.path, said, told.title, told.tells, back=back, button=told.button, **told.more)


def sure(
    request: AnyRequest, action: str, said: dict[str, Any], title: str, tells: Sequence[str], *, back: str, **more: Any
) -> Response[str]:
    """A page that says what a form will do, and sends the same form again with `sure` when it is pressed. more: `lists` of (heading, lines), `button`."""
    fields = [(name, value) for name, values in said.items() for value in (values if isinstance(values, list) else [values])]
    kept = [(name, value) for name, value in fields if name not in ("form", "sure")]
    return page(
        request, "confirm.html", 200, action=action, fields=kept, why=said.get("why", ""), title=title, tells=tells, back=back, **more
    )
