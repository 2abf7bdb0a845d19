"""The two sides of an ACLED event: what kind each is, who began, and what the words beside the side that was hit say about it.

The codebook gives the order of actor1 and actor2 no meaning, but for one thing: in violence against civilians and in explosions and remote violence
actor1 is who did it. So a battle has no initiator, unless its sub-event says that a government regained or an armed group overtook territory.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from tocsin.intake.reader import Fields


def sides(fields: Fields, crosswalk: dict[str, Any]) -> pl.DataFrame:
    """Of each side: side_, kind_ (a word of the crosswalk), and narrow_ and group_, the codes of target_type and target_group that its words give."""
    frame: dict[str, pl.Series] = {}
    for side, n in (("a", 1), ("b", 2)):
        named, beside = fields.text(f"actor{n}"), fields.text(f"assoc_actor_{n}")
        frame[f"side_{side}"] = named
        frame[f"kind_{side}"] = fields.one_of(f"inter{n}", crosswalk["inter"], pl.String).replace("none", None)
        words = pl.select(pl.concat_str(named, beside, separator="; ", ignore_nulls=True)).to_series()
        frame |= {f"{c.name}_{side}": c for c in _codes(words.alias("words"), crosswalk)}
    return pl.DataFrame(frame)


def _codes(words: pl.Series, crosswalk: dict[str, Any]) -> list[pl.Series]:
    """`narrow` and `group` of a side's words; each distinct text is looked at once."""
    text = pl.col("words")
    narrow = pl.coalesce(pl.when(text.str.contains(word, literal=True)).then(pl.lit(code)) for word, code in crosswalk["narrower_target"])
    # `Shia Muslim Group (Pakistan)` is a community; `PML-N: Pakistan Muslim League` is a party, and its name no community's.
    group = pl.coalesce(
        pl.when(text.str.contains(rf"(?:^|;)[^;:]*\b{word}\b[^;:]*\bGroup\b")).then(pl.lit(code))
        for word, code in crosswalk["target_group"]
    )
    distinct = words.to_frame().unique().select(text, narrow=narrow, group=group)
    found = words.to_frame().join(distinct, on="words", how="left", maintain_order="left")
    return [found["narrow"], found["group"]]


_ARMED = ["rebel", "militia", "communal"]
#: `Military Forces of Pakistan (2022-2024)` -> `Pakistan`.
_COUNTRY = r" Forces of (?:the )?([^(]+?)(?: \(|$)"


def _state(side: str) -> pl.Expr:
    """State forces, and foreign or international ones, which fight for states; hired guards do not."""
    return (pl.col(f"kind_{side}") == "state") | (
        (pl.col(f"kind_{side}") == "other") & ~pl.col(f"side_{side}").str.contains("Private Security", literal=True).fill_null(False)
    )


def roles() -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """`violence`, `actor` and `initiator`, of event_type, attack_type (a code), side_a, side_b, kind_a, kind_b and civilian_targeting."""
    return _violence().alias("violence"), _actor().alias("actor"), _initiator().alias("initiator")


def _violence() -> pl.Expr:
    """UCDP's kind, from the event type and the sides.

    Against civilians: one_sided. Forces of two named countries: interstate. A state and an armed group: state_based. Two armed groups: non_state. Protests,
    riots, strategic developments, forces of one country against each other and explosions that hit no side: unknown, for UCDP has no such kind.
    """
    a, b = pl.col("kind_a").is_in(_ARMED), pl.col("kind_b").is_in(_ARMED)
    fighting = pl.col("event_type").is_in(["Battles", "Explosions/Remote violence"])
    at_civilians = fighting & ((pl.col("kind_b") == "civilians") | pl.col("civilian_targeting").is_not_null())
    countries = [pl.col(f"side_{s}").str.extract(_COUNTRY) for s in "ab"]
    return (
        pl.when((pl.col("event_type") == "Violence against civilians") | at_civilians)
        .then(pl.lit("one_sided"))
        .when(fighting & _state("a") & _state("b") & (countries[0] != countries[1]))
        .then(pl.lit("interstate"))
        .when(fighting & ((_state("a") & b) | (a & _state("b"))))
        .then(pl.lit("state_based"))
        .when(fighting & a & b)
        .then(pl.lit("non_state"))
        .otherwise(pl.lit("unknown"))
    )


def _actor() -> pl.Expr:
    """Who is held responsible: the attacker; in a battle the armed group against a state, or both of two armed groups."""
    battle = pl.col("event_type") == "Battles"
    a, b = pl.col("kind_a").is_in(_ARMED), pl.col("kind_b").is_in(_ARMED)
    attack = pl.col("event_type").is_in(["Explosions/Remote violence", "Violence against civilians", "Riots"])
    return (
        pl.when(battle & a & b)
        .then(pl.concat_str("side_a", "side_b", separator="; "))
        .when(battle & a)
        .then("side_a")
        .when(battle & b)
        .then("side_b")
        .when(attack & ~pl.col("kind_a").is_in(["civilians", "protesters"]).fill_null(False))
        .then("side_a")
    )


def _initiator() -> pl.Expr:
    """Who began, where ACLED says so."""
    a, b = pl.col("kind_a").is_in(_ARMED), pl.col("kind_b").is_in(_ARMED)
    regained, overtaken = (pl.col("attack_type") == f"battle/{how}" for how in ("government_regains", "nonstate_overtakes"))
    attack = pl.col("event_type").is_in(["Explosions/Remote violence", "Violence against civilians"])
    riot = (pl.col("event_type") == "Riots") & (pl.col("kind_a") == "rioters") & (pl.col("kind_b") != "rioters").fill_null(True)
    return (
        pl.when(attack | riot)
        .then("side_a")
        .when((regained & _state("a") & b) | (overtaken & a & _state("b")))
        .then("side_a")
        .when((regained & a & _state("b")) | (overtaken & _state("a") & b))
        .then("side_b")
    )


def aims(crosswalk: dict[str, Any]) -> tuple[pl.Expr, pl.Expr]:
    """`target_type` and `target_group`: of the side that was hit, and null where ACLED does not say which was."""
    hit_a, hit_b = _hit("a"), _hit("b")
    kind, narrow, group = (pl.when(hit_a).then(f"{c}_a").when(hit_b).then(f"{c}_b") for c in ("kind", "narrow", "group"))
    broad = kind.replace_strict(crosswalk["target_type"], default=None, return_dtype=pl.String)
    allowed = pl.when(narrow.str.starts_with("security") == (kind == "state")).then(narrow)
    of_people = pl.when(kind.is_in(["civilians", "protesters"])).then(group)
    return pl.coalesce(allowed, broad).alias("target_type"), of_people.alias("target_group")


def _hit(side: str) -> pl.Expr:
    """True where a side was hit: in a battle the other than the initiator, among protesters they, in other attacks the second."""
    battle = pl.col("event_type") == "Battles"
    dispersed = pl.col("attack_type").is_in(["unrest/protest_with_intervention", "unrest/excessive_force"])
    if side == "a":
        return dispersed | (battle & (_initiator() == pl.col("side_b")))
    return ~dispersed & (~battle | (_initiator() == pl.col("side_a"))) & (pl.col("event_type") != "Protests")
