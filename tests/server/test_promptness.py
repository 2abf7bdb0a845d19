"""No part of an answer waits for the acknowledgement of the part before."""

from __future__ import annotations

import asyncio
import socket
import threading

from loops import run

from tocsin.server.child import listening


def test_connections_that_the_web_process_takes_send_at_once() -> None:
    line = listening(0, threading.Event())
    seen: list[int] = []

    class Noted(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            seen.append(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            transport.close()

    async def once() -> None:
        server = await asyncio.get_running_loop().create_server(Noted, sock=line)
        _, writer = await asyncio.open_connection("127.0.0.1", line.getsockname()[1])
        while not seen:
            await asyncio.sleep(0.01)
        writer.close()
        server.close()

    run(once())
    assert seen == [1]
