"""tocsin fuses many agencies' reports of violence into one record of incidents, and says what it does not know."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tocsin.brief import brief
    from tocsin.brief.replay import replay
    from tocsin.fusion import explain, fuse
    from tocsin.intake import read
    from tocsin.watch import scan, watch

__all__ = ["brief", "explain", "fuse", "read", "replay", "scan", "watch"]

#: Where each verb is. It is loaded when it is first asked for: the hub's processes do without most of them (200 MB, 1.3 s).
_ROOMS = {
    "brief": "brief", "explain": "fusion", "fuse": "fusion", "read": "intake", "replay": "brief.replay", "scan": "watch", "watch": "watch",
}  # fmt: skip


class _Verb:
    """A verb as an attribute of the package. `brief` and `watch` are rooms too, and an import of a room would put the room in the verb's place."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, package: ModuleType | None, _: type | None = None) -> Any:
        if package is None:
            return self
        kept = vars(package)
        if self.name not in kept:
            kept[self.name] = getattr(import_module(f"{__name__}.{_ROOMS[self.name]}"), self.name)
        return kept[self.name]

    def __set__(self, package: ModuleType, value: Any) -> None:
        if not isinstance(value, ModuleType):
            vars(package)[self.name] = value

    def __delete__(self, package: ModuleType) -> None:
        vars(package).pop(self.name, None)


class _Package(ModuleType):
    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


for _name in __all__:
    setattr(_Package, _name, _Verb(_name))
sys.modules[__name__].__class__ = _Package
