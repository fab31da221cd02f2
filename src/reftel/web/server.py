"""Running the reading room: as a server, or for one request without one."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import uvicorn
from starlette.types import Message, Scope

from reftel.access import EVERYTHING, Reader
from reftel.archive import Archive
from reftel.archive.due import OpenDaily
from reftel.tables.directory import Directory
from reftel.web.app import app
from reftel.web.readers import Asking, Readers

_TRIES = 50


def serve(
    archive: Archive,
    *,
    host: str,
    port: int,
    on_ready: Callable[[str], None],
    directory: Directory | None = None,
    readers: Readers | None = None,
) -> None:
    """Serve until interrupted. A port that is taken gives way to the next free one above it.

    `on_ready` gets the address. Raises `OSError` if no port can be had.
    """
    listener = _listen(host, port)
    bound = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    config = uvicorn.Config(
        app(archive, host=host, directory=directory, readers=readers),
        log_level="warning",
        access_log=False,
        # Whose headers are believed says the access file.
        proxy_headers=False,
    )
    archive.read_ahead()
    on_ready(f"http://{shown}:{bound}/")
    with OpenDaily(archive, _complain):
        uvicorn.Server(config).run(sockets=[listener])


def _complain(error: Exception) -> None:
    logging.getLogger("reftel").error("what falls open today stays closed: %s", error)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for tried in range(port, port + _TRIES) if port else (0,):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, tried))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE or tried == port + _TRIES - 1 or not port:
                raise
        else:
            return listener
    raise OSError(errno.EADDRINUSE, f"ports {port} to {port + _TRIES - 1} are taken")


def get(
    archive: Archive, path: str, readers: Readers | None = None, reader: Reader = EVERYTHING
) -> tuple[int, str]:
    """Answer one request without a server, as one reader sees it: status and body."""
    return asyncio.run(_get(archive, path, readers, reader))


async def _get(
    archive: Archive, path: str, readers: Readers | None, reader: Reader
) -> tuple[int, str]:
    parts = urlsplit(path)
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "http_version": "1.1",
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [(b"host", b"localhost")],
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 0),
    }
    messages: list[Message] = []
    asked = asyncio.Event()

    async def receive() -> Message:
        if asked.is_set():
            # What streams its answer waits to hear whether the other side has gone; it has not.
            await asyncio.Future()
        asked.set()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    asking = Asking(reader, "command line", True)
    await app(archive, readers=readers, who=lambda _: asking)(scope, receive, send)
    body = b"".join(m.get("body", b"") for m in messages if m["type"] == "http.response.body")
    return int(messages[0]["status"]), body.decode("utf-8", "replace")
