"""Is there a method in the madness, and since when?

look.py: all streams of a day; scan.py: scan statistics, exact to SaTScan; study.py: its files; shift.py: did a mix change; excite.py: clusters among events
that excite each other.
"""

from tocsin.watch.look import Look, look, watch
from tocsin.watch.scan import Scan, scan
from tocsin.watch.study import Study, read_study

__all__ = ["Look", "Scan", "Study", "look", "read_study", "scan", "watch"]
