"""Is there a method in the madness, and since when?

scan.py: scan statistics, exact to SaTScan; study.py: its files. Watching many streams comes from here too, and is not built yet.
"""

from tocsin.watch.scan import Scan, scan
from tocsin.watch.study import Study, read_study

__all__ = ["Scan", "Study", "read_study", "scan"]
