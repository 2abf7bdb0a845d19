"""Views for the page's tests: invented incidents at real places, and the extremes that a page must stand.

`python tests/browser/sample_view.py OUT.html [NAME]` writes one of them as a page.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import sys
import uuid
from pathlib import Path
from typing import Any

View = dict[str, Any]
DATA = Path(__file__).parent / "data"
AS_OF = dt.date(2015, 5, 14)
DAYS = 150
KINDS = {
    "one_sided": "One-sided (attacks on civilians)",
    "state_based": "State-based (government and armed opponents)",
    "non_state": "Non-state (armed groups among themselves)",
    "unknown": "Kind unknown",
}
GROUPS = {"shia": "Shia", "shia/ismaili": "Ismaili", "shia/bohra": "Bohra", "christian": "Christian", "hazara": "Hazara", "sufi": "Sufi"}
TARGETS = {"place_of_worship": "Place of worship", "market": "Market", "school": "School", "transport": "Transport"}
ATTACKS = {"bombing": "Bombing or explosion", "armed_assault": "Armed assault", "assassination": "Assassination"}
SCRIPT = '<script>window.pwned=1</script><img src=x onerror="window.pwned=1">\'"</textarea></style>&amp;\u2028{{body}}'
URDU = "کراچی میں بس پر حملہ، 45 افراد ہلاک"


def day(ago: int) -> dt.date:
    return AS_OF - dt.timedelta(days=ago)


def words(when: dt.date) -> str:
    return f"{when.day} {when:%b %Y}"


def identity(*parts: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))))


def places() -> list[list[Any]]:
    return list(json.loads((DATA / "places.json").read_text(encoding="utf-8"))["places"])


def outlines() -> View:
    return {
        "land": json.loads((DATA / "land.json").read_text(encoding="utf-8")),
        "districts": json.loads((DATA / "districts.json").read_text(encoding="utf-8")),
        "bbox": [60.6, 23.6, 77.3, 37.1],
        "credits": "Natural Earth; © OpenStreetMap contributors (ODbL 1.0)",
    }


def span(text: str, field: str, value: str, found: str) -> View:
    start = text.index(found)
    return {"field": field, "value": value, "words": found, "start": start, "end": start + len(found)}


def report(report_id: str, when: dt.date, place: str, text: str, **more: Any) -> tuple[str, View]:
    base = {
        "agency": "Dawn",
        "origin": "Dawn",
        "reported": when.isoformat(),
        "known": (when + dt.timedelta(days=1)).isoformat(),
        "date_text": words(when),
        "place": place,
        "killed_text": "",
        "text": text,
        "lang": "en",
        "spans": [],
        "file": "sample.csv",
        "row": 2,
        "derived": True,
        "url": None,
    }
    return report_id, {**base, **more}


def incident(number: int, ago: int, where: list[Any], violence: str, killed: int | None, **more: Any) -> View:
    name, admin1, lat, lon = where
    when = day(ago)
    base: View = {
        "id": identity("incident", number),
        "date": when.isoformat(),
        "date_end": when.isoformat(),
        "date_text": words(when),
        "place": name,
        "admin1": admin1,
        "admin2": f"{name} district",
        "area_class": "mainland",
        "lat": lat,
        "lon": lon,
        "radius_km": 8.0,
        "violence": violence,
        "actor": "TTP" if violence != "non_state" else None,
        **dict.fromkeys(("attack_type", "attack_name", "target_type", "target_name", "target_group", "group_name", "group_by")),
        "killed_low": killed,
        "killed": killed,
        "killed_high": killed,
        "killed_civilians": killed if violence == "one_sided" else 0,
        "agencies": ["UCDP GED"],
        "corroboration": 1,
        "hindsight": True,
        "disputed": [],
        "judged": [],
        "parts": [],
        "report_ids": [],
        "in_window": ago < DAYS,
    }
    return {**base, **more}


def random_incident(rng: random.Random, number: int, ago: int, violence: str) -> tuple[View, dict[str, View]]:
    where = rng.choices(places(), weights=[30 / (rank + 2) for rank in range(70)])[0]
    killed = min(70, int(rng.paretovariate(0.9)))
    group = rng.choice([*GROUPS, None, None]) if violence == "one_sided" else None
    attack = rng.choice(list(ATTACKS))
    target = rng.choice([*TARGETS, None])
    crowd = f"{GROUPS[group]} worshippers" if group else "people"
    text = f"At least {killed} {crowd} killed in {where[0]} {rng.choice(['blast', 'attack', 'shooting'])}"
    spans = [span(text, "killed_low", str(killed), f"At least {killed}")] + (
        [span(text, "target_group", group, GROUPS[group])] if group else []
    )
    ids = [identity("report", number, "row"), identity("report", number, "press")]
    reports = dict(
        [
            report(
                ids[0], day(ago), where[0], "", agency="UCDP GED", origin="Dawn", derived=False, row=number + 2, killed_text=str(killed)
            ),
            report(ids[1], day(ago), where[0], text, spans=spans, row=number + 2, killed_text=f"{killed} or more"),
        ]
    )
    return incident(
        number,
        ago,
        where,
        violence,
        killed,
        report_ids=ids,
        agencies=["Dawn", "UCDP GED"],
        radius_km=rng.choice([3.0, 8.0, 15.0, 60.0]),
        target_group=group,
        group_name=GROUPS.get(group or ""),
        group_by="words" if group else None,
        attack_type=attack,
        attack_name=ATTACKS[attack],
        target_type=target,
        target_name=TARGETS.get(target or ""),
        killed_low=max(0, killed - rng.randint(0, 2)),
        killed_high=killed + rng.choice([0, 0, 2, 6]),
    ), reports


def cell(rows: list[View], days: float | None = None) -> View:
    """The numbers of one column; with `days`, the rows are one year and give the rate for so many days."""
    share = 1.0 if days is None else days / 365

    def total(key: str) -> float:
        return round(sum(row[key] or 0 for row in rows) * share, 1 if days else 0) if days else sum(row[key] or 0 for row in rows)

    count = round(len(rows) * share, 1) if days else len(rows)
    killed = total("killed")
    state = bool(rows) and rows[0]["violence"] == "state_based"
    return {
        "incidents": count,
        "killed": killed,
        "killed_low": total("killed_low"),
        "killed_high": total("killed_high"),
        "killed_civilians": total("killed_civilians"),
        "own_forces": round(killed * 0.2, 1 if days else None) if state else 0,
        "opponents": round(killed * 0.8, 1 if days else None) if state else 0,
        "deaths_per_attack": round(killed / count, 1) if count else None,
    }


def change(incidents: list[View]) -> View:
    spans = {"window": (0, DAYS), "before": (DAYS, 2 * DAYS), "year_before": (365, 365 + DAYS), "year_rate": (0, 365)}
    labels = {"window": "Window", "before": "150 days before", "year_before": "Year before", "year_rate": "Year’s rate"}
    columns = [
        {"key": key, "label": labels[key], "start": day(high - 1).isoformat(), "end": day(low).isoformat(), "days": high - low}
        for key, (low, high) in spans.items()
    ]
    rows = []
    for violence, label in KINDS.items():
        own = [one for one in incidents if one["violence"] == violence]
        cells = {}
        for key, (low, high) in spans.items():
            inside = [one for one in own if one["date"] and day(high - 1).isoformat() <= one["date"] <= day(low).isoformat()]
            cells[key] = cell(inside, DAYS if key == "year_rate" else None)
        window = cells["window"]["incidents"]
        signs = {key: (window > cells[key]["incidents"]) - (window < cells[key]["incidents"]) for key in list(spans)[1:]}
        verdict = {(1,): "more on all three", (-1,): "fewer on all three", (0,): "no change"}.get(
            tuple(set(signs.values())), "cannot be told"
        )
        rows.append(
            {"violence": violence, "label": label, "default": violence == "one_sided", "cells": cells, "signs": signs, "verdict": verdict}
        )
    first = rows[0]["cells"]
    return {
        "headline": f"One-sided attacks: {first['window']['incidents']} in 150 days; "
        f"{first['before']['incidents']} in the 150 days before; "
        f"{first['year_before']['incidents']} a year earlier; the year’s own rate gives {first['year_rate']['incidents']}. "
        + f"{rows[0]['verdict'].capitalize()}; chance not tested.",
        "columns": columns,
        "rows": rows,
    }


def view_of(incidents: list[View], reports: dict[str, View], **more: Any) -> View:
    attacks = [one for one in incidents if one["violence"] == "one_sided" and one["in_window"]]
    deadliest = sorted(attacks, key=lambda one: -(one["killed"] or 0))[:5]
    fixed: View = json.loads((DATA / "view.json").read_text(encoding="utf-8"))
    fixed["sources"][0].update(reports=len(reports), incidents=len(incidents))
    base: View = {
        **fixed,
        "as_of": AS_OF.isoformat(),
        "window": {"start": day(DAYS - 1).isoformat(), "end": AS_OF.isoformat(), "days": DAYS},
        "change": change(incidents),
        "deadliest": [one["id"] for one in deadliest],
        "incidents": incidents,
        "reports": reports,
        "map": outlines(),
    }
    return {**base, **more}


def realistic(seed: int = 7, per_year: int = 400) -> View:
    """Two years of invented incidents, a few set by hand so that each way of knowing a community is there."""
    rng = random.Random(seed)
    incidents, reports = [], {}
    for number in range(per_year * 2):
        violence = rng.choices(list(KINDS), weights=[14, 70, 12, 4])[0]
        one, said = random_incident(rng, number, rng.randint(0, 729), violence)
        incidents.append(one)
        reports.update(said)
    for one, said in by_hand():
        incidents.append(one)
        reports.update(said)
    return view_of(sorted(incidents, key=lambda one: one["date"], reverse=True), reports)


def by_hand() -> list[tuple[View, dict[str, View]]]:
    karachi, peshawar, lahore = (next(p for p in places() if p[0] == name) for name in ("Karachi", "Peshawar", "Lahore"))
    bus = "Gunmen kill 43 Ismaili Shia on bus in Karachi; toll rises to 47"
    english, urdu = identity("hand", 1, "en"), identity("hand", 1, "ur")
    first = incident(
        90001,
        1,
        karachi,
        "one_sided",
        45,
        killed_low=43,
        killed_high=47,
        target_group="shia/ismaili",
        group_name="Ismaili",
        group_by="words",
        attack_type="armed_assault",
        attack_name="Armed assault",
        target_type="transport",
        target_name="Transport",
        area_class="big_city",
        report_ids=[english, urdu],
        agencies=["Dawn", "Jang", "UCDP GED"],
        corroboration=2,
        disputed=["killed"],
    )
    said = dict(
        [
            report(
                english,
                day(1),
                "Karachi",
                bus,
                spans=[
                    span(bus, "killed_low", "43", "43"),
                    span(bus, "target_group", "shia/ismaili", "Ismaili"),
                    span(bus, "target_group", "shia", "Shia"),
                    span(bus, "place", "Karachi", "Karachi"),
                    span(bus, "killed", "47", "toll rises to 47"),
                ],
                killed_text="43–47",
                url="https://www.dawn.com",
            ),
            report(
                urdu,
                day(1),
                "کراچی",
                URDU,
                agency="Jang",
                origin="Jang",
                lang="ur",
                spans=[span(URDU, "killed", "45", "45 افراد")],
                killed_text="45",
            ),
        ]
    )
    school = incident(
        90002,
        149,
        peshawar,
        "one_sided",
        156,
        killed_low=151,
        killed_high=156,
        killed_civilians=141,
        target_type="school",
        target_name="School",
        group_name="No community (stated)",
        target_group="general",
        group_by="source",
        area_class="mainland",
        parts=["one-sided 146", "state-based 10"],
        judged=[{"by": "a.analyst", "on": "2024-05-01", "why": "one attack, split by UCDP by kind"}],
    )
    mosque = incident(
        90003,
        104,
        lahore,
        "one_sided",
        61,
        killed_low=60,
        killed_high=63,
        target_group="shia",
        group_name="Shia",
        group_by="judgement",
        target_type="place_of_worship",
        target_name="Place of worship",
        attack_type="bombing",
        attack_name="Bombing or explosion",
        judged=[{"by": "a.analyst", "on": "2024-05-01", "why": "the imambargah’s congregation, from outside knowledge"}],
    )
    return [(first, said), (school, {}), (mosque, {})]


def empty() -> View:
    return view_of([], {}, map={**outlines(), "districts": None}, issues=[], unmapped=[], sources=[], left_out=[])


def single() -> View:
    one, said = by_hand()[0]
    return view_of([one], said)


def all_unknown() -> View:
    """Nothing but a kind: no date, place, toll or words."""
    blank: View = dict.fromkeys(incident(0, 0, places()[0], "unknown", None))
    fixed = {"violence": "unknown", "in_window": True, "agencies": [], "disputed": [], "judged": [], "parts": [], "report_ids": ["nowhere"]}
    incidents = [{**blank, **fixed, "id": identity("blank", n)} for n in range(30)]
    return view_of(incidents, {}, deadliest=[incidents[0]["id"]], map=None)


def pile_up(count: int = 2000) -> View:
    karachi = next(p for p in places() if p[0] == "Karachi")
    return view_of([incident(n, n % DAYS, karachi, "one_sided", n % 7) for n in range(count)], {})


def big_town() -> View:
    return pile_up(10_000)


def one_day() -> View:
    """A window of a day, and all that is known happened on it."""
    incidents = [incident(n, 0, place, "one_sided", n % 5) for n, place in enumerate(places()[:40])]
    return view_of(incidents, {}, window={"start": AS_OF.isoformat(), "end": AS_OF.isoformat(), "days": 1})


def century() -> View:
    """An incident or two a month for a hundred years, a few before 1970 and before 1900."""
    rng = random.Random(5)
    towns = places()
    ages = [rng.randint(0, 36525) for _ in range(1500)] + [45_000]
    return view_of([incident(n, ago, rng.choice(towns), "one_sided", rng.randint(0, 9)) for n, ago in enumerate(ages)], {})


def long_headline() -> View:
    one, said = by_hand()[0]
    key = one["report_ids"][0]
    text = (said[key]["text"] + " ").ljust(5000, "Ü")
    return view_of([one], {**said, key: {**said[key], "text": text}})


def scripted() -> View:
    """Markup in every text field there is, keys of the view's structure aside."""
    keep = {"violence", "id", "date", "date_end", "start", "end", "as_of", "report_ids", "deadliest", "key", "type", "group_by", "map"}

    def poison(value: Any, key: str = "") -> Any:
        if key in keep:
            return value
        if isinstance(value, dict):
            return {name: poison(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [poison(inner, key) for inner in value]
        return "javascript:window.pwned=1" if key == "url" else SCRIPT if isinstance(value, str) else value

    view = realistic(per_year=40)
    inner = {report_id: poison(said) for report_id, said in view["reports"].items()}
    return {**poison({**view, "reports": {}}), "reports": inner, "map": {**outlines(), "credits": SCRIPT}}


def large(count: int = 100_000) -> View:
    rng = random.Random(3)
    towns = places()
    kinds = rng.choices(list(KINDS), weights=[14, 70, 12, 4], k=count)
    incidents = [incident(n, rng.randint(0, 9000), rng.choice(towns), kinds[n], rng.randint(0, 9)) for n in range(count)]
    return view_of(incidents, {})


VIEWS = {
    f.__name__: f for f in (realistic, empty, single, all_unknown, pile_up, big_town, one_day, century, long_headline, scripted, large)
}


if __name__ == "__main__":
    from tocsin.brief.page import render

    Path(sys.argv[1]).write_text(render(VIEWS[sys.argv[2] if len(sys.argv) > 2 else "realistic"]()), encoding="utf-8")
