"""tocsin fuses many agencies' reports of violence into one record of incidents, and says what it does not know."""

from tocsin.brief import brief
from tocsin.brief.replay import replay
from tocsin.fusion import explain, fuse
from tocsin.intake import read
from tocsin.watch import scan, watch

__all__ = ["brief", "explain", "fuse", "read", "replay", "scan", "watch"]
