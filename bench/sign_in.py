"""Whether the time of a refused sign-in tells that an account exists: AUC of latency, .50 where it tells nothing.

usage: python bench/sign_in.py [--tries 400] [--seed 1]

One hub with 20 accounts, in this process, with its own PostgreSQL. Tries with a wrong password are made one after another in random order, half of them of
accounts that exist, half of names that never were; each is from an address of its own, and the counts of failures are forgotten before each. AUC is the chance
that one of an account took longer than one of no account, ties counting half; beside it a 95 % interval (Hanley and McNeil 1982). A sign-in takes as long as
argon2 does, by design.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

import psycopg
import pyotp
from latency import STAFF, auc

from tocsin.errors import Denied
from tocsin.gate import tlp2
from tocsin.hub import Hub, clock
from tocsin.store import Store
from tocsin.store.embedded import Embedded
from tocsin.store.setup import prepare, settle_scheme

PASSWORD = "four quiet words at dusk"


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tries", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    folder = Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    folder.chmod(0o755)
    with Embedded(folder) as server:
        roles = prepare(server.conninfo(), server.secrets)
        settle_scheme(roles["migrate"], None, tlp2().markings)
        store = Store(roles["web"], size=2)
        hub = Hub(store, clock())
        hub.staff.add_agency(STAFF, "police")
        for n in range(20):
            link = hub.accounts.invite(STAFF, f"person {n}", ["submit"], "police")["path"].rpartition("/")[2]
            hub.signing_in.accept(link, PASSWORD, PASSWORD, pyotp.TOTP(hub.signing_in.invited(link).totp).now(), "192.0.2.1")
        there, never = [], []
        with psycopg.connect(server.conninfo(), autocommit=True) as owner:
            for n, exists in enumerate(rng.sample([True, False] * (asked.tries // 2), asked.tries // 2 * 2)):
                name = f"person {rng.randrange(20)}" if exists else f"nobody {rng.randrange(20)}"
                owner.execute("TRUNCATE tocsin.attempt")
                began = time.perf_counter()
                try:
                    hub.signing_in.sign_in("police", name, "a wrong one of some length", "123456", f"192.0.2.{n % 250}")
                except Denied:
                    (there if exists else never).append(time.perf_counter() - began)
        store.close()
    value, half = auc(there, never)
    print(
        f"{len(there)} of accounts, median {statistics.median(there) * 1e3:.1f} ms; {len(never)} of none, {statistics.median(never) * 1e3:.1f} ms"
    )
    print(f"AUC {value:.3f} +- {half:.3f}")


if __name__ == "__main__":
    main()
