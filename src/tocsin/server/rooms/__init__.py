"""The rooms: pages for people, made by the server, without a script. A person's session is a caller like a token's, so the gate is the same."""

from __future__ import annotations

from litestar import Router

from tocsin.server.rooms.acts import ACTS
from tocsin.server.rooms.agencies import AGENCIES
from tocsin.server.rooms.correct import CORRECT
from tocsin.server.rooms.judge import JUDGE
from tocsin.server.rooms.leaving import LEAVING
from tocsin.server.rooms.people import PEOPLE
from tocsin.server.rooms.picture import PICTURE
from tocsin.server.rooms.requests import REQUESTS
from tocsin.server.rooms.sent import SENT
from tocsin.server.rooms.shown import on_page_error
from tocsin.server.rooms.sign_in import SIGN_IN
from tocsin.server.rooms.signals import SIGNALS_ROOM
from tocsin.server.rooms.upload import UPLOAD

#: Every page of the rooms. Where something is wrong, a page says so.
ROOMS = Router(
    path="/",
    route_handlers=[*SIGN_IN, *SENT, *UPLOAD, *CORRECT, *ACTS, *REQUESTS, *JUDGE, *PICTURE, *SIGNALS_ROOM, *AGENCIES, *LEAVING, *PEOPLE],
    exception_handlers={Exception: on_page_error},
    include_in_schema=False,
)
