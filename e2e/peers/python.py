"""The websockets package of Python against an echo endpoint. Usage: python.py URL"""

import asyncio
import os
import sys

import websockets


async def echo(socket, message, what):
    await socket.send(message)
    got = await asyncio.wait_for(socket.recv(), 20)
    sent = message if isinstance(message, (str, bytes)) else b"".join(message)
    if got != sent:
        sys.exit(f"{what}: the echo is wrong")


async def run(url, compression):
    async with websockets.connect(url, max_size=None, compression=compression) as socket:
        await echo(socket, "Grüße, 世界 🌍", "text")
        await echo(socket, bytes([0, 255, 1, 254]), "binary")
        await echo(socket, [os.urandom(1), b"", os.urandom(70_000), os.urandom(3)], "fragmented")
        pong = await socket.ping(os.urandom(125))
        await asyncio.wait_for(pong, 20)
        await echo(socket, os.urandom(1 << 20), "large")
        await socket.close(4000, "goodbye")
    if socket.close_code != 4000:
        sys.exit(f"close: sent 4000, got {socket.close_code}")


for compression in (None, "deflate"):
    asyncio.run(asyncio.wait_for(run(sys.argv[1], compression), 60))
print("ok")
