"""Every error that tocsin raises on purpose.

    TocsinError
    ├── InputError            a file or table cannot be used at all
    │   ├── UnreadableFile    missing, a directory, no permission, damaged
    │   ├── UnknownFormat     no reader knows this header
    │   └── SpecError         a table description (YAML) is wrong
    ├── ContractError         a table lacks a column, or has one of the wrong type
    ├── OptionError           an option's value makes no sense
    ├── TaxonomyError         a code or taxonomy file is wrong
    ├── MarkingError          a marking, or a scheme of markings, is unknown or wrong
    ├── LookAheadError        incidents are stamped later than the as_of asked for
    ├── StoreError            the hub's database cannot be started, reached or set up
    └── HubError              the hub does not do what was asked
        ├── NotKnown          no token, or one that is unknown, expired or revoked
        ├── Denied            the rule of sharing, or a role, does not allow it
        ├── NotThere          no such thing, or none that the audience may see: the two are one answer
        ├── Malformed         what was sent cannot be understood
        ├── Busy              too much at once; the same may do in a moment
        ├── TooMany           more at once, or more often, than one agency may ask for
        └── Wait              too many failures to sign in; the next try may be made in so many seconds

A message says what is wrong, where, and what to do next. The command line prints it and nothing else.
"""


class TocsinError(Exception):
    """Root of all errors that tocsin raises on purpose."""


class InputError(TocsinError):
    """A file or table cannot be used at all."""


class UnreadableFile(InputError):
    """A file is missing, a directory, not permitted, or damaged."""


class UnknownFormat(InputError):
    """No reader knows the header of this file."""


class SpecError(InputError):
    """A table description (YAML) is wrong."""


class ContractError(TocsinError):
    """A table lacks a column, or has one of the wrong type."""


class OptionError(TocsinError):
    """An option's value makes no sense."""


class TaxonomyError(TocsinError):
    """A code or taxonomy file is wrong."""


class MarkingError(TocsinError):
    """A marking, or a scheme of markings, is unknown or wrong."""


class LookAheadError(TocsinError):
    """Incidents are stamped later than the as_of asked for."""


class StoreError(TocsinError):
    """The hub's database cannot be started, reached or set up."""


class HubError(TocsinError):
    """The hub does not do what was asked."""


class NotKnown(HubError):
    """No token, or one that is unknown, expired or revoked."""


class Denied(HubError):
    """The rule of sharing, or a role, does not allow it."""


class NotThere(HubError):
    """No such thing, or none that the audience may see: the two are one answer."""


class Malformed(HubError):
    """What was sent cannot be understood."""


class Wait(HubError):
    """Too many failures to sign in; the next try may be made in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many tries: wait {seconds} seconds, and try again")
        self.seconds = seconds


class Busy(HubError):
    """Too much at once; the same may do in a moment."""


class TooMany(HubError):
    """More at once, or more often, than one agency may ask for; it may be tried again in `seconds`."""

    def __init__(self, reason: str, seconds: int = 5) -> None:
        super().__init__(reason)
        self.seconds = seconds
