"""axe-core on a page: what it finds against, and the number of its rules that hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

AXE = Path(__file__).parent / "browser" / "vendor" / "axe.min.js"
#: Every rule is asked of every node; nodes are described where a rule is broken alone, and those of a large page weigh megabytes.
RUN = "axe.run(document, {resultTypes: ['violations']}).then((found) => [found.passes.length, found.violations])"


def violations(page: Any, passes: int) -> list[str]:
    """Each rule that is broken, with the first node that breaks it; of the others more than `passes` must have been asked and hold."""
    if page.evaluate("typeof axe") == "undefined":  # through the debugger, for a page may take no script
        page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8") + ";0"})
    held, broken = page.evaluate(RUN)
    assert held > passes
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in broken]
