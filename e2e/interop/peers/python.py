"""The websockets package of Python. Usage: python.py client | python.py server none|deflate|small

As a client it takes jobs from standard input, a line of JSON each, { "url", "deflate", "cert" }, and answers with a line of
JSON each. As a server it prints its port as JSON and serves until it is killed.
"""

import asyncio
import json
import os
import ssl
import sys

import websockets
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory


def check(same, what):
    if not same:
        raise AssertionError(what)


async def echo(socket, what, message):
    await socket.send(message)
    got = await socket.recv()
    check(got == (message if isinstance(message, (str, bytes)) else b"".join(message)), f"{what}: the echo is wrong")


async def ask(socket, command, want):
    await socket.send(command)
    got = await socket.recv()
    check(got == want, f"{command}: the answer is {got!r:.80}")


async def exchange(job):
    did = []
    options = {"max_size": None, "compression": "deflate" if job["deflate"] else None}
    if job.get("cert"):
        options["ssl"] = ssl.create_default_context(cafile=job["cert"])
    async with websockets.connect(job["url"], **options) as socket:
        extensions = ", ".join(e.name for e in socket.extensions)
        await echo(socket, "text", "Grüße, 世界 🌍")
        did.append("text")
        await echo(socket, "binary", bytes([0, 255, 1, 254]))
        did.append("binary")
        await echo(socket, "empty", "")
        await echo(socket, "empty", b"")
        did.append("empty")
        again = os.urandom(1024).hex()
        for _ in range(3):
            await echo(socket, "repeated", again)
        did.append("repeated")
        await echo(socket, "fragmented", [os.urandom(1), b"", os.urandom(70_000), os.urandom(3)])
        did.append("fragmented")
        await echo(socket, "large", os.urandom(1 << 20))
        did.append("large")
        await (await socket.ping(os.urandom(125)))
        did.append("ping")
        await ask(socket, "ping", "pinged")
        await ask(socket, "ponged?", "true")
        did.append("pong")
        await socket.close(4001, "goodbye")
        check(socket.close_code == 4001, f"close: sent 4001, got {socket.close_code}")
        did.append("close")
    async with websockets.connect(job["url"], **options) as socket:
        await socket.send("close 4002 see you")
        await socket.wait_closed()
        got = f"{socket.close_code} {socket.close_reason}"
        check(got == "4002 see you", f"closed: {got}")
        did.append("closed")
    return {"did": did, "extensions": extensions}


def client():
    for line in sys.stdin:
        try:
            result = asyncio.run(asyncio.wait_for(exchange(json.loads(line)), 60))
        except Exception as err:  # whatever it is, the test wants to hear of it
            result = {"error": str(err) or repr(err)}
        print(json.dumps(result), flush=True)


async def answer(socket):
    try:
        async for message in socket:
            if message == "fragments":
                await socket.send(["frag", "", "mented ", "x" * 70_000])
            elif message == "ping":
                await (await socket.ping(b"are you there"))
                await socket.send("ponged are you there")
            elif message == "close":
                await socket.close(4002, "see you")
            else:
                await socket.send(message)
    except websockets.ConnectionClosedError:
        pass  # so it calls every end with a code other than 1000 and 1001


async def serve(compression):
    options = {"compression": None if compression == "none" else "deflate"}
    if compression == "small":
        options = {"extensions": [ServerPerMessageDeflateFactory(server_max_window_bits=9, client_max_window_bits=9)], "compression": None}
    async with websockets.serve(answer, "127.0.0.1", 0, max_size=None, **options) as server:
        print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
        await asyncio.Future()


if sys.argv[1] == "client":
    client()
else:
    asyncio.run(serve(sys.argv[2]))
