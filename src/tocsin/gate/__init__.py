"""Who may see what: may() -> Verdict(allowed, reason), by a scheme of markings."""

from tocsin.gate.rule import GROUP, Action, Clearance, Marked, Role, Verdict, made_of, may
from tocsin.gate.scheme import Marking, Scheme, read_scheme, tlp2

__all__ = ["GROUP", "Action", "Clearance", "Marked", "Marking", "Role", "Scheme", "Verdict", "made_of", "may", "read_scheme", "tlp2"]
