"""Draws a view as one self-contained page: no server, no network, no eval.

The page is a template, one style sheet, scripts and a bundle of d3 modules, all inlined. Its Content-Security-Policy allows only the
scripts and the style whose SHA-256 it names. Data travel as JSON that no browser runs, and the scripts build every element with
text nodes, so a field can hold markup and stay words.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from tocsin.errors import ContractError
from tocsin.terms.say import LANGUAGES, catalogue
from tocsin.terms.taxonomies import taxonomy

#: The page's own scripts, in the order in which they are joined: later ones use earlier ones.
SCRIPTS = (
    "dom.js",
    "table.js",
    "state.js",
    "words.js",
    "engine.js",
    "export.js",
    "first.js",
    "timeline.js",
    "map.js",
    "play.js",
    "bar.js",
    "overview.js",
    "bands.js",
    "atlas.js",
    "incident.js",
    "list.js",
    "since.js",
    "signals.js",
    "claim.js",
    "sensitivity.js",
    "foot.js",
    "page.js",
)

REQUIRED = ("title", "as_of", "window", "change", "incidents", "reports")
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_UNSAFE_PATTERN = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def render(view: Mapping[str, Any]) -> str:
    """Give the page of one view as HTML text, to be written as UTF-8.

    `view` is a mapping of JSON values (text, numbers, booleans, None, lists, mappings); None is unknown and is drawn as such.
    Raises ContractError where a part that the page cannot do without is missing, or where a value has no JSON form (a date, a NaN).
    """
    missing = [name for name in REQUIRED if name not in view]
    if missing:
        raise ContractError(f"This view has no {', '.join(missing)}: the page cannot be drawn. Add each, empty if need be.")
    head, body = _split(view)
    style = _asset("page.css")
    library = _asset("vendor/d3.min.js")
    script = _script()
    parts = {
        "csp": policy(),
        "generator": html.escape(f"tocsin {view.get('tocsin', '')}".strip()),
        "title": html.escape(f"{view['title']}, as of {view['as_of']}: tocsin brief"),
        "style": style,
        "head": to_json(head),
        "library": library,
        "script": script,
        "body": packed(to_json(body)),
    }
    # One pass, so that a slot's name inside the data stays data.
    return _SLOT.sub(lambda slot: parts[slot[1]], _asset("template.html"))


@cache
def policy() -> str:
    """The page's Content-Security-Policy: its own scripts and style by their SHA-256, and nothing else; the same for every page of a version."""
    return _policy([_asset("vendor/d3.min.js"), _script()], _asset("page.css"))


def to_json(value: Any) -> str:
    """Give JSON text that may stand inside a script element: `<`, `>`, `&`, U+2028, U+2029 and lone surrogates are escaped.

    Raises ContractError for NaN, infinity and anything else that JSON does not have.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        message = f"This view holds a value that JSON does not have ({error}). Give dates as text and unknowns as None."
        raise ContractError(message) from None
    return _UNSAFE_PATTERN.sub(lambda m: _UNSAFE.get(m[0], f"\\u{ord(m[0]):04x}"), text)


def packed(text: str) -> str:
    """Text as gzip in base64: a hundred thousand incidents stay small enough to be mailed. The page unpacks it by itself."""
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()


def pack(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Give rows as columns, each the shortest of three: one value (`same`), levels with codes, or the values as they are.

    A key that a row lacks is None. 5,000 incidents take a third of the room that rows take, and the page reads a column at a time.
    """
    held = list(rows)
    names = dict.fromkeys(name for row in held for name in row)
    return {"n": len(held), "columns": {name: _column([row.get(name) for row in held]) for name in names}}


def _column(values: Sequence[Any]) -> dict[str, Any]:
    kinds = set(map(type, values))
    if kinds & {list, tuple, dict}:
        keys: Sequence[Any] = [repr(value) for value in values]
    elif len(kinds & {int, float, bool}) > 1:  # 1, 1.0 and True are one key to Python, and three values to JSON
        keys = [(type(value), value) for value in values]
    else:
        keys = values
    distinct = dict(zip(keys, values, strict=True))
    if len(distinct) == 1:
        return {"same": values[0]}
    if len(distinct) * 2 < len(values) and kinds & {str, list, dict}:
        place = {key: code for code, key in enumerate(distinct)}
        return {"levels": list(distinct.values()), "codes": [place[key] for key in keys]}
    return {"values": list(values)}


def _split(view: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The head is what the first words need and comes first in the file; the body is the long tables."""
    head = {key: value for key, value in view.items() if key not in ("incidents", "reports", "map")}
    position = {report_id: place for place, report_id in enumerate(view["reports"])}
    reports = [{"id": report_id, **report} for report_id, report in view["reports"].items()]
    incidents = [_shorten(incident, position) for incident in view["incidents"]]
    head["languages"] = list(LANGUAGES)
    head["words"] = {lang: catalogue(lang) for lang in LANGUAGES}
    head["names"] = {
        tree: {code: node.name for code, node in taxonomy(tree).nodes.items()}
        for tree in ("target_group", "target_type", "attack_type", "weapon_type")
    }
    return head, {"incidents": pack(incidents), "reports": pack(reports), "map": view.get("map")}


def _shorten(incident: Mapping[str, Any], position: Mapping[str, int]) -> dict[str, Any]:
    """References to reports become their places in the table; an id that no report has stays text and is shown as missing."""
    short = dict(incident)
    short["id"] = position.get(incident.get("id", ""), incident.get("id"))
    short["report_ids"] = [position.get(report_id, report_id) for report_id in incident.get("report_ids") or ()]
    return short


def _policy(scripts: Iterable[str], style: str) -> str:
    allowed = " ".join(_hash(script) for script in scripts)
    rules = ["default-src 'none'", f"script-src {allowed}", f"style-src {_hash(style)}", "img-src data:"]
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _asset(name: str) -> str:
    """Browsers read CRLF as LF before they hash, so the text is hashed and written with LF."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n").replace("\r", "\n")


@cache
def _script() -> str:
    """One closure around all scripts: nothing of the page stands in the global scope but the library's `d3`."""
    joined = "\n".join(_asset(f"js/{name}") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{joined}\n}})();\n'
