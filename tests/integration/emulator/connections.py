"""Connections of HTTP/1.1, read and written plainly: most of what a small request costs is the emulator's own way.

Hypercorn keeps the emulator's socket, its start and its end. It serves a connection by state machines and tasks for
whatever a browser may send; here are the clients of AWS, and all that they send is a head and a body.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from hypercorn.asyncio import run  # type: ignore[import-not-found]

_Json = dict[str, Any]
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_MOST = 2**20  # bytes of a head
_BODILESS = {204, 304}


def install() -> None:
    """Let Hypercorn serve each connection so."""
    run.TCPServer = Connection


class Connection:
    """A connection, served until either side ends it.

    Args:
        app: The emulator.
        context: Says when Hypercorn ends.
        reader: What comes.
        writer: Where answers go.
    """

    def __init__(
        self,
        app: Any,
        _loop: Any,
        _config: Any,
        context: Any,
        _state: Any,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._app, self._context, self._reader, self._writer = app, context, reader, writer
        reader._limit = _MOST  # type: ignore[attr-defined]
        self._client = writer.get_extra_info("peername")[:2]
        self._server = writer.get_extra_info("sockname")[:2]

    def __await__(self) -> Generator[Any]:
        """Serve it."""
        return self._serve().__await__()

    async def _serve(self) -> None:
        end = asyncio.create_task(self._end_with_the_emulator())
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while await self._answer(await self._reader.readuntil(b"\r\n\r\n")):
                    pass
        finally:
            end.cancel()
            self._writer.close()

    async def _end_with_the_emulator(self) -> None:
        await self._context.terminated.wait()
        self._writer.close()

    async def _answer(self, head: bytes) -> bool:
        """Answer a request; says whether another may follow."""
        first, *lines = head[:-4].split(b"\r\n")
        method, target, _ = first.split(b" ")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
        said = dict(headers)
        if said.get(b"expect", b"").lower() == b"100-continue":
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await self._body(said)
        path, _, query = target.partition(b"?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "asgi": {"spec_version": "2.1", "version": "3.0"},
            "method": method.decode().upper(),
            "scheme": "http",
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": headers,
            "client": self._client,
            "server": self._server,
            "extensions": {},
        }
        messages: list[_Json] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> _Json:
            if messages:
                return messages.pop()
            await self._context.terminated.wait()
            return {"type": "http.disconnect"}

        answer = _Answer(self._writer, bodiless=method == b"HEAD")
        await self._app(scope, receive, answer.send, None, None)
        await self._writer.drain()
        return answer.whole and said.get(b"connection", b"").lower() != b"close"

    async def _body(self, said: dict[bytes, bytes]) -> bytes:
        if said.get(b"transfer-encoding", b"").lower() != b"chunked":
            return await self._reader.readexactly(int(said.get(b"content-length", 0)))
        parts = []
        while size := int((await self._reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            parts.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        while await self._reader.readuntil(b"\r\n") != b"\r\n":
            pass  # trailers
        return b"".join(parts)


class _Answer:
    """What is sent for one request.

    Args:
        writer: Where to.
        bodiless: Whether no body follows, whatever the head says.
    """

    def __init__(self, writer: asyncio.StreamWriter, *, bodiless: bool) -> None:
        self._writer, self._bodiless = writer, bodiless
        self._head = b""
        self._chunked = False
        self.whole = False

    async def send(self, message: _Json) -> None:
        """Send a message of ASGI."""
        if message["type"] == "http.response.start":
            status = message["status"]
            self._bodiless = self._bodiless or status in _BODILESS
            self._chunked = not self._bodiless and all(
                name.lower() not in {b"content-length", b"transfer-encoding"} for name, _ in message["headers"]
            )
            lines = [b"%d %s" % (status, _PHRASES.get(status, "").encode()), *map(b": ".join, message["headers"])]
            if self._chunked:
                lines.append(b"transfer-encoding: chunked")
            self._head = b"HTTP/1.1 " + b"\r\n".join(lines) + b"\r\n\r\n"
            return
        body = b"" if self._bodiless else message.get("body", b"")
        if self._chunked and body:
            body = b"%x\r\n%s\r\n" % (len(body), body)
        self.whole = not message.get("more_body", False)
        end = b"0\r\n\r\n" if self._chunked and self.whole else b""
        self._writer.write(self._head + body + end)
        self._head = b""
