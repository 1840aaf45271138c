"""Paths of our own on the emulator's port, by which tests set the clock, inject faults and switch what decides."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app

ROOT = "/_tableguard/"
_Json = dict[str, Any]
_Asgi = Callable[[_Json, Callable[..., Any], Callable[..., Any]], Awaitable[None]]


def install(handlers: dict[str, Callable[[_Json], _Json]]) -> None:
    """Serve these, besides all that the emulator serves.

    Args:
        handlers: By name: what takes the body of a POST, and says what to answer.
    """
    serve: _Asgi = app.app

    async def serve_ours_too(scope: _Json, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        name = scope.get("path", "").removeprefix(ROOT)
        if scope["type"] != "http" or name == scope.get("path") or name not in handlers:
            await serve(scope, receive, send)
            return
        status, said = _answered(handlers[name], await _body(receive))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(said).encode()})

    app.app = serve_ours_too


def _answered(handle: Callable[[_Json], _Json], body: bytes) -> tuple[int, _Json]:
    try:
        return 200, handle(json.loads(body or b"{}"))
    except (KeyError, TypeError, ValueError) as error:
        return 400, {"error": repr(error)}


async def _body(receive: Callable[..., Any]) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
