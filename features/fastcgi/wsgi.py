# Runs a WSGI application (PEP 3333) as a FastCGI process on descriptor 0, in place of wfastcgi, which is for IIS. It reads
# the same settings: WSGI_HANDLER and others from the environment, or from <appSettings> of the application's web.config.
import importlib
import io
import os
import socket
import struct
import sys
import traceback
import xml.etree.ElementTree as xml

BEGIN, END, PARAMS, STDIN, STDOUT, STDERR, GET_VALUES, GET_VALUES_RESULT = 1, 3, 4, 5, 6, 7, 9, 10
CHUNK = 32768


def settings(folder):
    try:
        tree = xml.parse(os.path.join(folder, "web.config"))
    except (OSError, xml.ParseError):
        return
    for add in tree.findall("./appSettings/add"):
        if add.get("key") and add.get("value") is not None:
            os.environ.setdefault(add.get("key"), add.get("value"))


def load(folder):
    settings(folder)
    os.chdir(folder)
    for path in [folder] + os.environ.get("PYTHONPATH", "").split(";"):
        if os.path.isdir(path) and path not in sys.path:
            sys.path.insert(0, path)
    name = os.environ.get("WSGI_HANDLER", "").strip()
    if not name:
        raise RuntimeError("WSGI_HANDLER is not set: add it to <appSettings> of web.config, as in app.application")
    call = name.endswith("()")
    module, _, attribute = (name[:-2] if call else name).rpartition(".")
    handler = getattr(importlib.import_module(module), attribute)
    return handler() if call else handler


def exactly(conn, n):
    data = bytearray()
    while len(data) < n:
        part = conn.recv(n - len(data))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


def send(conn, kind, data, request=1):
    for i in range(0, len(data), CHUNK):
        part = data[i:i + CHUNK]
        conn.sendall(struct.pack(">BBHHBB", 1, kind, request, len(part), 0, 0) + part)


def pairs(data):
    at, out = 0, {}
    while at < len(data):
        sizes = []
        for _ in range(2):
            size = data[at]
            if size & 0x80:
                size = struct.unpack(">I", data[at:at + 4])[0] & 0x7FFFFFFF
                at += 3
            at += 1
            sizes.append(size)
        name = data[at:at + sizes[0]].decode("latin-1")
        out[name] = data[at + sizes[0]:at + sum(sizes)].decode("latin-1")
        at += sum(sizes)
    return out


def receive(conn):
    streams = {PARAMS: bytearray(), STDIN: bytearray()}
    while True:
        _, kind, request, size, padding, _ = struct.unpack(">BBHHBB", exactly(conn, 8))
        data = exactly(conn, size + padding)[:size]
        if kind == GET_VALUES:
            conn.sendall(struct.pack(">BBHHBB", 1, GET_VALUES_RESULT, 0, 0, 0, 0))
            return None
        if kind in streams:
            streams[kind] += data
            if kind == STDIN and not data:
                return pairs(bytes(streams[PARAMS])), io.BytesIO(bytes(streams[STDIN]))


class Errors(io.TextIOBase):
    def __init__(self, conn):
        self.conn = conn

    def write(self, text):
        send(self.conn, STDERR, text.encode("utf-8", "replace"))
        return len(text)


def serve(conn, app, params, body):
    path = params.get("SCRIPT_NAME", "") + params.get("PATH_INFO", "")
    environ = dict(params)
    environ.update({
        "SCRIPT_NAME": "", "PATH_INFO": path, "wsgi.version": (1, 0), "wsgi.input": body, "wsgi.errors": Errors(conn),
        "wsgi.url_scheme": "https" if params.get("HTTPS") == "on" else "http",
        "wsgi.multithread": False, "wsgi.multiprocess": True, "wsgi.run_once": False,
    })
    head = []

    def write(data):
        if head and head[0] is not None:
            status, fields = head[0]
            lines = ["Status: " + status] + [name + ": " + value for name, value in fields]
            send(conn, STDOUT, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
            head[0] = None
        send(conn, STDOUT, data)

    def start_response(status, fields, exc_info=None):
        if head and head[0] is None and exc_info:
            raise exc_info[1]
        head[:] = [(status, fields)]
        return write

    result = app(environ, start_response)
    try:
        for data in result:
            if data:
                write(data)
        write(b"")
    finally:
        if hasattr(result, "close"):
            result.close()


def main():
    listener, app = socket.socket(fileno=0), None
    while True:
        conn, _ = listener.accept()
        with conn:
            try:
                request = receive(conn)
                if request is None:
                    continue
                try:
                    app = app or load(request[0]["APPL_PHYSICAL_PATH"])
                    serve(conn, app, *request)
                except OSError:
                    raise
                except Exception:
                    send(conn, STDERR, traceback.format_exc().encode("utf-8", "replace"))
                    send(conn, STDOUT, b"Status: 500 Internal Server Error\r\nContent-Type: text/plain\r\n\r\nthe application failed\n")
                conn.sendall(struct.pack(">BBHHBBIBBBB", 1, END, 1, 8, 0, 0, 0, 0, 0, 0, 0))
            except (EOFError, OSError):
                pass  # the server went away


main()
