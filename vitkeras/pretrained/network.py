"""Whether a server can be reached at all, known within seconds: the hubs' own programs try again for half a minute."""

import os
import socket
import threading
from urllib.parse import urlsplit

PATIENCE = 4  # seconds
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def why_unreachable(host, port=443):
    """One sentence, or None if something at `host` (or at the proxy on the way to it) takes our call."""
    proxy = next((os.environ[name] for name in PROXIES if os.environ.get(name)), None)
    if proxy:
        address = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        try:
            host, port = address.hostname or host, address.port or 8080
        except ValueError:
            return f"{proxy!r}, the proxy that the environment names, is no address."
    outcome = []

    def call():
        try:
            socket.create_connection((host, port), timeout=PATIENCE).close()
            outcome.append(None)
        except OSError as fault:
            outcome.append(f"{host} cannot be reached: {fault.strerror or fault}.")

    # In a thread of its own, for looking a name up knows no time limit.
    caller = threading.Thread(target=call, daemon=True)
    caller.start()
    caller.join(PATIENCE + 1)
    return outcome[0] if outcome else f"{host} has not answered for {PATIENCE} seconds."
