"""The description of the API, whole enough to write a client by it: what the signatures say, what openapi.yml says, and the columns of the tables."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin

from tocsin.hub.posted import CODED, MOST, OWN, longest
from tocsin.hub.signals import RELEASED
from tocsin.terms.posts import RANGES, SET_BY_THE_HUB
from tocsin.terms.taxonomies import taxonomy

_ERROR = {"$ref": "#/components/schemas/Error"}
_LATER = {"application/json": {"schema": {"$ref": "#/components/schemas/Later"}}, "text/html": {"schema": {"type": "string"}}}
_ID = {"$ref": "#/components/schemas/Id"}


class Described(JsonRenderPlugin):
    """/openapi.json."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json")
        self._made: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The description; it is made once."""
        if self._made is None:
            self._made = self.render_json(request, described(openapi_schema))
        return self._made


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """The description that litestar makes of the signatures, with what they do not say."""
    told = yaml.safe_load(files("tocsin.server").joinpath("openapi.yml").read_text(encoding="utf-8"))
    schema["paths"] = {path: methods for path, methods in schema["paths"].items() if not path.startswith("/api/schema")}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            _describe(f"{method.upper()} {path}", operation, told["operations"].get(f"{method.upper()} {path}", {}))
    parts = schema.setdefault("components", {})
    parts["schemas"] = told["schemas"] | {
        "Post": post(),
        "Report": report(),
        "Incident": incident(),
        "Signal": signal(),
        "GivenSignal": given(),
    }
    parts["responses"] = {
        str(status): {"description": words, "content": {"application/json": {"schema": _ERROR}} if status != 202 else _LATER}
        for status, words in told["answers"].items()
    }
    return schema


def _describe(key: str, operation: dict[str, Any], told: dict[str, Any]) -> None:
    takes, gives = told.get("takes"), told.get("gives", {})
    if takes is not None:
        operation["requestBody"] = {"required": True, "content": {told.get("media", "application/json"): {"schema": takes}}}
    done = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
    done["description"] = operation.get("description") or "Done."
    for content in done.get("content", {}).values():
        content["schema"] = gives
    status = {500, 503, *told.get("also", ())}
    if told.get("public"):
        operation["security"] = []
    else:
        status |= {401, 403, 429}
    if takes is not None or operation.get("parameters"):
        status.add(400)
    if "{" in key:  # a name with a slash in it leads to no page
        status.add(404)
    if takes is not None:
        status |= {408, 413, 415}
    if not key.startswith("GET"):
        status.add(507)
    good = {code: answer for code, answer in operation["responses"].items() if code.startswith("2")}
    operation["responses"] = good | {str(code): {"$ref": f"#/components/responses/{code}"} for code in sorted(status)}


def post() -> dict[str, Any]:
    """A report as it is posted."""
    from tocsin.terms.tables import REPORTS

    fields: dict[str, Any] = {
        "own_id": _text(200, "The agency's own id of it; a correction has the same, and a `version`."),
        "version": _text(200, "Of a correction."),
    }
    for column in REPORTS:
        if column.name not in SET_BY_THE_HUB:
            fields[column.name] = _or_null(_taken(column.name, column.dtype) | {"description": column.meaning})
    fields["marking"] = {"$ref": "#/components/schemas/Marking"}
    return {
        "type": "object",
        "description": "One report. A field that is null counts as not given.",
        "required": ["marking"],
        "additionalProperties": False,
        "properties": fields,
    }


def report() -> dict[str, Any]:
    """A report as it is shown."""
    from tocsin.terms.tables import REPORTS

    unseen = {"known_at", "hindsight", "file", "row", "source_hash"}
    fields = {c.name: _given(c.dtype) | {"description": c.meaning} for c in REPORTS if c.name not in unseen}
    own = {name: {"type": "string", "description": "Of one's own reports."} for name in OWN}
    return {"type": "object", "required": ["report_id", "agency", "received_at", "marking"], "properties": own | fields}


def incident() -> dict[str, Any]:
    """An incident as it is shown."""
    from tocsin.terms.tables import INCIDENTS

    fields = {c.name: _given(c.dtype) | {"description": c.meaning} for c in INCIDENTS}
    return {"type": "object", "required": ["incident_id", "report_ids"], "properties": fields}


def signal() -> dict[str, Any]:
    """A signal as it is shown."""
    from tocsin.terms.tables import SIGNALS

    own = {
        "look": {"type": "string", "format": "date-time", "description": "The moment of the look that raised it."},
        "every_days": {"type": "integer", "description": "Days between two looks: false_alarms_per_year is at this cadence."},
        "marking": {"type": "string", "description": "The strictest of the reports that it rests on."},
        "withdrawn": {"type": "string", "description": "Why nothing is said of it any more: a report that it rests on has closed."},
    }
    fields = {c.name: _given(c.dtype) | {"description": c.meaning} for c in SIGNALS}
    return {"type": "object", "required": ["signal_id", "look", "every_days"], "properties": own | fields}


def given() -> dict[str, Any]:
    """A signal that another agency released, as it is shown."""
    from tocsin.terms.tables import SIGNALS

    own = {
        "signal_id": {
            "type": "string",
            "format": "uuid",
            "description": "The same where the agency releases the same signal of a later look.",
        },
        "by": {"type": "string", "description": "The agency that released it."},
        "received_at": {"type": "string", "format": "date-time"},
        "start": {"type": "string", "format": "date", "description": "The earliest day of the reports that it rests on."},
        "evidence": {"type": "array", "items": dict(_ID), "description": "Reports; the id of each leads to its incident."},
    }
    fields = {c.name: _given(c.dtype) | {"description": c.meaning} for c in SIGNALS if c.name in (*RELEASED, "lat", "lon", "radius_km")}
    more = {k: v for k, v in signal()["properties"].items() if k in ("look", "every_days", "marking", "withdrawn")}
    return {"type": "object", "required": ["signal_id", "by", "received_at"], "properties": fields | more | own}


def _taken(name: str, kind: Any) -> dict[str, Any]:
    """The schema of a field of a post, as it is checked."""
    if name in CODED:
        return {"enum": _codes(name)}
    if name == "reliability":
        return {"enum": list("ABCDEF")}
    given = _given(kind)
    if name in RANGES:
        low, high = RANGES[name]
        return given | {"minimum": low, "maximum": high}
    if given.get("type") == "integer":
        return given | {"minimum": 0, "maximum": 2**31 - 1}
    if name in ("supersedes", "derived_from"):
        return dict(_ID) if name == "supersedes" else {"type": "array", "maxItems": MOST, "items": _ID}
    if given.get("type") == "array":
        return {"type": "array", "maxItems": MOST, "items": _text(longest(name))}
    return given | ({"minLength": 1, "maxLength": longest(name)} if given == {"type": "string"} else {})


@cache
def _codes(name: str) -> list[str]:
    return list(taxonomy(name).nodes)


def _given(kind: Any) -> dict[str, Any]:
    """The schema of a column's values."""
    import polars as pl

    if isinstance(kind, pl.Enum):
        return {"enum": list(kind.categories)}
    if isinstance(kind, pl.List):
        return {"type": "array", "items": _given(kind.inner)}
    if isinstance(kind, pl.Struct):
        return {"type": "object"}
    plain = {
        pl.Date: {"type": "string", "format": "date"},
        pl.Datetime: {"type": "string", "format": "date-time"},
        pl.Boolean: {"type": "boolean"},
    }
    plain |= {pl.Int32: {"type": "integer"}, pl.Int64: {"type": "integer"}, pl.Float64: {"type": "number"}, pl.String: {"type": "string"}}
    return dict(plain[kind.base_type()])


def _text(most: int, meaning: str = "") -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most} | ({"description": meaning} if meaning else {})


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    words = schema.pop("description")
    return {"anyOf": [schema, {"type": "null"}], "description": words}
