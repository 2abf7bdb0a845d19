"""Alerts as OASIS CAP 1.2 writes them: written() gives an alert as XML, read_alert() reads one, wrong_with() says what the standard does not allow in it."""

from tocsin.cap.alert import Alert, Area, Circle, Info, Named, Reference, Resource
from tocsin.cap.rules import wrong_with
from tocsin.cap.xml import read_alert, written

__all__ = ["Alert", "Area", "Circle", "Info", "Named", "Reference", "Resource", "read_alert", "written", "wrong_with"]
