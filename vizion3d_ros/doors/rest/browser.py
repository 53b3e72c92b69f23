# SPDX-License-Identifier: Apache-2.0
"""The page for people: a form that asks the routes, and pictures of what they answer."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).parent / 'page'
# Nothing from elsewhere, and nothing inline; images that were picked are not shown.
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
POLICY += "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
}


def add_page(app: FastAPI) -> None:
    """Add GET / and the files of its page below /page; all of them come from this package."""
    app.mount('/page', StaticFiles(directory=FOLDER))

    @app.get('/', include_in_schema=False)
    async def page() -> FileResponse:
        """Give the page."""
        return FileResponse(FOLDER / 'index.html', headers=HEADERS)
