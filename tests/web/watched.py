"""A page of the browser that is watched: what it says on its console, what it asks of others, and whether prepared code ran."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

WAIT = 20_000  # ms


def waited(look: Callable[[], Any], what: str) -> Any:
    """What ``look`` finds, as soon as it finds something: the page makes a list again after a second at the earliest."""
    end = time.monotonic() + WAIT / 1000
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


class Watched:
    """A browser's page that notes what it says on the console, what it asks outside for, and whether prepared code ran."""

    def __init__(self, browser: Any, served: Any, **options: Any) -> None:
        self.served = served
        self.base = f"http://127.0.0.1:{served.port}"
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(WAIT)
        self.said: list[str] = []
        self.outside: list[str] = []
        self.context.route("**/*", self._only_loopback)
        self.context.expose_function("canary", lambda *_: self.said.append("prepared code ran"))
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.said.append("dialog"), dialog.dismiss()))
        self.page.goto(f"{self.base}/?token={served.token}")

    def _only_loopback(self, route: Any) -> None:
        if route.request.url.startswith(self.base + "/"):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def open(self, path: str) -> Any:
        self.page.goto(self.base + path)
        return self.page

    def close(self) -> None:
        self.context.close()
        assert self.said == [], self.said
        assert self.outside == [], self.outside


def pages(served: Any) -> dict[str, str]:
    """Every kind of page by its name."""
    keys = {name: run["id"] for name, run in served.runs().items()}
    search = served.ask("/searches")[2].decode().split('href="/search/')[1].split('"')[0]
    hostile = next(key for name, key in keys.items() if "onerror" in name)
    return {
        "list": "/",
        "run": f"/run/{keys['good-1']}",
        "hostile run": f"/run/{hostile}",
        "hostile report": f"/run/{hostile}/report",
        "report": f"/run/{keys['good-1']}/report",
        "compare": f"/compare?runs={keys['good-1']},{keys['good-2']},{hostile}",
        "searches": "/searches",
        "search": f"/search/{search}",
        "start": "/processes",
        "rules": "/rules",
    }
