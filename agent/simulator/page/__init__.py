"""The page at `/`: files of this package, and an address of its own that takes callbacks."""

from __future__ import annotations

from importlib import resources
from typing import Final

from aiohttp import web

__all__ = ["CALLBACK_PATH", "routes"]

CALLBACK_PATH: Final = "/_page/callback"  # for a customer who has no server of their own
_FILES: Final = {
    "/": ("index.html", "text/html"),
    "/_page/page.js": ("page.js", "text/javascript"),
    "/_page/page.css": ("page.css", "text/css"),
}
# Nothing but the simulator's own files and its own API; in nobody's frame.
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def routes() -> list[web.AbstractRouteDef]:
    """Return the routes of the page."""
    return [
        *(web.get(path, _file) for path in _FILES),
        *(web.route(method, CALLBACK_PATH, _taken) for method in ("GET", "POST", "PATCH")),
    ]


async def _file(request: web.Request) -> web.Response:
    name, kind = _FILES[request.path]
    text = resources.files(__package__ or "").joinpath(name).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=kind, headers=_HEADERS)


async def _taken(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=204)
