"""tocsin fuses many agencies' reports of violence into one record of incidents, and says what it does not know.

The verbs are loaded when first used, so that `tocsin --help` does not wait for compiled code.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tocsin.brief import brief
    from tocsin.fusion import fuse
    from tocsin.intake import read

__all__ = ["brief", "fuse", "read"]

_ROOM = {"brief": "brief", "fuse": "fusion", "read": "intake"}


def __getattr__(name: str) -> Any:
    if name not in _ROOM:
        raise AttributeError(f"module 'tocsin' has no attribute {name!r}; its names are {', '.join(__all__)}")
    value = getattr(import_module(f"tocsin.{_ROOM[name]}"), name)
    globals()[name] = value  # the room `brief` bears the name of its verb: the verb wins
    return value
