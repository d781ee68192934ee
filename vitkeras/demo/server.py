"""The page's server: Gradio's, with a page of our own, for this machine alone."""

import inspect
import os
import re
import socket
import threading
from pathlib import Path

from vitkeras.errors import Misuse, Problem

PAGE = Path(__file__).parent / "page"
HERE = "127.0.0.1"
PORTS = range(7860, 7960)  # where Gradio's pages usually are; the first that is free
QUESTIONS = "/gradio_api/run/"
MOST = 40_000_000  # bytes of a question: a photo of 25 MB, as text
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Server:
    """Opened as soon as it is made; `url` says where. `presets` are the models that photos can be shown to."""

    def __init__(self, presets, port=None):
        gradio = loaded()
        from vitkeras.demo import answers

        self.app = gradio.Server(docs_url=None, redoc_url=None, openapi_url=None)
        self.app.add_middleware(Gate)
        self.app.get("/")(lambda: sent("index.html"))
        self.app.get("/page/{name}")(sent)
        self.app.get("/presets")(lambda: {"presets": presets})
        for question in (answers.digit, answers.pair, photo_of(presets)):
            self.app.api(endpoint(question), name=question.__name__, queue=False)
        asked = {"server_name": HERE, "server_port": port, "prevent_thread_lock": True, "quiet": True, "share": False}
        off = dict.fromkeys(("ssr_mode", "pwa", "mcp_server", "enable_monitoring", "run_history", "inbrowser"), False)
        try:
            _, self.url, _ = self.app.launch(**asked, **off, max_threads=4)
        except OSError as fault:
            ports = f"port {port}" if port else f"any of the ports {PORTS[0]} to {PORTS[-1]}"
            raise Problem(f"the page cannot be opened at {ports} ({fault}). Choose another: --port 8000") from fault

    def wait(self):
        """Until Ctrl-C."""
        threading.Event().wait()

    def close(self):
        self.app.blocks.close(verbose=False)


def require_free(port):
    """Known before the models are loaded, which takes a while."""
    with socket.socket() as place:
        try:
            place.bind((HERE, port))
        except OSError as fault:
            raise Problem(
                f"port {port} is taken, by another demo perhaps ({fault.strerror}). Choose another: --port"
            ) from fault


def loaded():
    # Nothing is told to anybody, nor asked: whether there is a newer version, for one.
    os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
    for name in ("NO_PROXY", "no_proxy"):  # Gradio asks itself whether it is there, and a proxy would not know
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), HERE]))
    for name in ("GRADIO_ROOT_PATH", "GRADIO_SHARE", "GRADIO_MCP_SERVER", "GRADIO_SERVER_PORT"):
        os.environ.pop(name, None)
    try:
        import gradio
    except ImportError as fault:
        raise Problem(
            f"the page needs Gradio, and it is not here ({fault}). In a checkout: python -m pip install -c "
            'constraints.txt -e ".[demo]"'
        ) from None
    return gradio


def photo_of(presets):
    from vitkeras.demo import answers

    def photo(content, name, preset):
        if preset not in presets:
            raise Misuse(f"this page was opened with {', '.join(presets)}; --preset opens it with others.")
        return answers.photo(content, str(name), preset)

    return photo


def endpoint(question):
    """The question as Gradio takes it: a table in, a table out. A foreseen fault is an answer as well."""

    def answer(told: dict) -> dict:
        try:
            inspect.signature(question).bind(**told)
        except TypeError as fault:
            return {"problem": f"{question.__name__} is asked in another way: {fault}"}
        try:
            return question(**told)
        except Problem as problem:
            return {"problem": str(problem)}

    return answer


def sent(name):
    from fastapi import Response

    file = PAGE / name
    if not re.fullmatch(r"[\w-]+\.\w+", name) or file.suffix not in TYPES or not file.is_file():
        return Response("there is no such page\n", 404, media_type="text/plain")
    return Response(file.read_bytes(), media_type=TYPES[file.suffix])


class Gate:
    """Lets through what the page asks for, from a page of this machine, and nothing else that Gradio could do."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        refusal = refused(scope)
        if refusal:
            from fastapi import Response

            status, reason = refusal
            return await Response(f"{reason}\n", status, media_type="text/plain")(scope, receive, send)

        async def with_headers(message):
            if message["type"] == "http.response.start":
                message["headers"] += [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            await send(message)

        return await self.app(scope, receive, with_headers)


def refused(scope):
    """(status, why), or None. A foreign page may ask a browser to ask us: it cannot change Host and Origin."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get("host", "")
    if host.rpartition(":")[0] not in (HERE, "localhost"):
        return 403, f"this page is for this machine only: ask for {HERE}"
    if headers.get("origin", f"http://{host}") != f"http://{host}":
        return 403, "this page answers no other page"
    path, method = scope["path"], scope["method"]
    if path == "/gradio_api/startup-events" or (path in ("/", "/presets") or path.startswith("/page/")):
        return None if method in ("GET", "HEAD") else (405, "this can only be read")
    if not path.startswith(QUESTIONS):
        return 404, "there is no such page"
    if method != "POST":
        return 405, "questions come by POST"
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return 411, "a question says how long it is"
    if int(length) > MOST:
        return 413, f"a question has {MOST:,} bytes at most"
    return None
