"""An application of the websockets package (Debian: python3-websockets)."""

import asyncio
import http
import os

import websockets


async def page(path, headers):
    """Answers what is no opening handshake."""
    if headers.get("Upgrade", "").lower() != "websocket":
        return http.HTTPStatus.OK, [("Content-Type", "text/plain")], b"a page of Python"


async def answer(socket, path=None):
    try:
        async for message in socket:
            if message == "extensions?":
                await socket.send(", ".join(e.name for e in socket.extensions) or "none")
            elif message == "close":
                await socket.close(4002, "see you")
            else:
                await socket.send(message)
    except websockets.ConnectionClosedError:
        pass


async def main():
    port = int(os.environ["HTTP_PLATFORM_PORT"])
    async with websockets.serve(answer, "127.0.0.1", port, max_size=None, subprotocols=["second"], process_request=page):
        await asyncio.Future()


asyncio.run(main())
