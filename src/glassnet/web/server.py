"""The live page as a process: a socket on the loopback address, and uvicorn behind it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from pathlib import Path

from glassnet.errors import UsageError
from glassnet.web.application import application
from glassnet.web.guard import new_token

USUAL_PORT = 8321
TRIED_PORTS = 50
MOST_CONNECTIONS = 200
STUCK_MILLISECONDS = 20_000  # after which a connection is cut whose other end takes nothing, though it is there
LINGER_SECONDS = 1  # how long Ctrl-C waits for answers under way; streams are cut


def serve(root: Path, port: int | None, ready: Callable[[str], None]) -> None:
    """Serve the runs below ``root`` until Ctrl-C, on the loopback address alone.

    Args:
        root: folder of runs.
        port: to listen on; by default 8321, or the next free one.
        ready: called once with the address, token included, when the page answers.

    Raises:
        UsageError: the port is taken, or must not be used.
    """
    import uvicorn

    listening = listen(port)
    number = listening.getsockname()[1]
    token = new_token()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready(f"http://127.0.0.1:{number}/?token={token}")

    config = uvicorn.Config(
        application(root, token, number),
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_level="error",
        access_log=False,  # addresses may hold the token
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=LINGER_SECONDS,
        proxy_headers=False,
    )
    with listening:
        Server(config).run(sockets=[listening])


def listen(port: int | None) -> socket.socket:
    """A socket of the loopback address that listens.

    Raises:
        UsageError: the port is taken, or must not be used.
    """
    tried = range(USUAL_PORT, USUAL_PORT + TRIED_PORTS) if port is None else [port]
    for number in tried:
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; what is accepted inherits it
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_MILLISECONDS)
        try:
            made.bind(("127.0.0.1", number))
            made.listen(128)
        except OSError as error:
            made.close()
            if error.errno == errno.EADDRINUSE and number != tried[-1]:
                continue
            raise UsageError(
                "this port cannot be listened on",
                where="--port",
                got=f"{number}: {error.strerror}",
                fix="choose another with --port, or leave it away",
            ) from error
        return made
    raise AssertionError
