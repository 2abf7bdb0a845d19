"""Reports as STIX 2.1 objects, and back: objects_of() and post_of(); wrong_with() says what is wrong with an object that others made.

A report is a `report` object, and a `location` where one is known. All that STIX has no word for stands in one property-extension (`fixed.EXTENSION`), whose
properties are the columns of `reports`. Ids follow from the report's own id, and tell nothing else.
"""

from tocsin.stix.fixed import fixed_objects, identity_of
from tocsin.stix.made import Made, ceased, incident_objects, note_of, signal_object
from tocsin.stix.reading import Sent, is_report, post_of
from tocsin.stix.valid import version_of, wrong_with
from tocsin.stix.writing import instant_of, objects_of

__all__ = [
    "Made",
    "Sent",
    "ceased",
    "fixed_objects",
    "identity_of",
    "incident_objects",
    "instant_of",
    "is_report",
    "note_of",
    "objects_of",
    "post_of",
    "signal_object",
    "version_of",
    "wrong_with",
]
