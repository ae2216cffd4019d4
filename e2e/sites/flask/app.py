"""An application of WSGI with a few routes, as those of Flask are, served by what Python brings along."""

import json
import os
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

routes = {}


def route(path):
    def add(view):
        routes[path] = view
        return view

    return add


@route("/")
def home(environ):
    return "200 OK", "text/html; charset=utf-8", "<h1>Grüße</h1>"


@route("/seen")
def seen(environ):
    return "200 OK", "application/json", json.dumps({
        "query": parse_qs(environ["QUERY_STRING"]),
        "scheme": environ.get("HTTP_X_FORWARDED_PROTO"),
        "host": environ.get("HTTP_HOST"),
        "port": [os.environ["HTTP_PLATFORM_PORT"], os.environ["SERVER_PORT"]],
    })


@route("/form")
def form(environ):
    fields = parse_qs(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode())
    return "201 Created", "text/plain; charset=utf-8", ", ".join(f"{k}={v[0]}" for k, v in sorted(fields.items()))


def app(environ, start_response):
    view = routes.get(environ["PATH_INFO"])
    status, kind, body = view(environ) if view else ("404 Not Found", "text/plain", "no such route")
    start_response(status, [("Content-Type", kind)])
    return [body.encode()]


print("serves")
make_server("127.0.0.1", int(os.environ["HTTP_PLATFORM_PORT"]), app).serve_forever()
