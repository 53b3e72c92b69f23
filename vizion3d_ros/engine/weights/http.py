# SPDX-License-Identifier: Apache-2.0
"""One HTTP request: which addresses are allowed, and which failures deserve another try."""

from __future__ import annotations

import ipaddress
import ssl
from http.client import HTTPException, HTTPMessage
from typing import IO, TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from vizion3d_ros.contracts.errors import DownloadError

if TYPE_CHECKING:
    from http.client import HTTPResponse

TIMEOUT_S = 30.0  # without a single byte
RANGE_REFUSED = 416
WORTH_ANOTHER_TRY = {408, 425, 429, 500, 502, 503, 504, RANGE_REFUSED}
BY_HAND = 'or download it by hand and give model_backend the path of the file'


class InterruptedTransfer(Exception):
    """The transfer did not end, but may when tried again; from the start if `restart`."""

    def __init__(self, reason: str, restart: bool = False) -> None:
        super().__init__(reason)
        self.restart = restart


def public_part(url: str) -> str:
    """The address without query and user name: these may hold secrets, so no log shows them."""
    scheme, host, path, _, _ = urlsplit(url)
    return urlunsplit((scheme, host.rpartition('@')[2], path, '', ''))


def check_url(url: str) -> None:
    """Accept https, and http to this machine itself; raise DownloadError for all others."""
    try:
        allowed = _is_allowed(url)
    except ValueError as error:
        raise DownloadError(f'{url!r} is no valid address: {error}') from error
    if not allowed:
        raise DownloadError(
            f'{public_part(url)}: models are fetched from https:// addresses only '
            f'(http:// for this machine itself); use https, {BY_HAND}'
        )


def _is_allowed(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ''
    return bool(host) and (parts.scheme == 'https' or (parts.scheme == 'http' and _is_local(host)))


def _is_local(host: str) -> bool:
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class SameScheme(HTTPRedirectHandler):
    """Follows redirects that keep the scheme, and only to addresses that are allowed."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Give the request to go on with; DownloadError if it leads elsewhere."""
        if urlsplit(newurl).scheme != urlsplit(req.full_url).scheme or not _is_allowed(newurl):
            raise DownloadError(
                f'{public_part(req.full_url)} redirects to {public_part(newurl)}, which is not '
                f'followed; give the https address of the file itself, {BY_HAND}'
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_url(url: str, headers: dict[str, str]) -> HTTPResponse:
    """
    Ask for url and return the answer, its body still unread.

    Raises InterruptedTransfer if another try may help, DownloadError if not.
    """
    check_url(url)
    # A proxy is for the world outside: on this machine it could only be in the way.
    handlers = [ProxyHandler({})] if urlsplit(url).scheme == 'http' else []
    opener = build_opener(SameScheme, *handlers)
    request = Request(url, headers={'Accept-Encoding': 'identity', **headers})
    try:
        response: HTTPResponse = opener.open(request, timeout=TIMEOUT_S)
    except HTTPError as error:
        error.close()
        raise _refused(url, error.code, str(error.reason)) from error
    except (OSError, HTTPException) as error:
        raise _no_answer(url, error) from error
    return response


def _refused(url: str, code: int, reason: str) -> Exception:
    text = f'{public_part(url)}: the server answered {code} {reason}'
    if code in WORTH_ANOTHER_TRY:
        return InterruptedTransfer(text, restart=code == RANGE_REFUSED)
    if code in (401, 403):
        return DownloadError(f'{text}; it may want a login: check the address, {BY_HAND}')
    return DownloadError(f'{text}; check the address, {BY_HAND}')


def _no_answer(url: str, error: Exception) -> Exception:
    cause = error.reason if isinstance(error, URLError) else error
    text = f'{public_part(url)}: {cause or type(cause).__name__}'
    if isinstance(cause, ssl.SSLCertVerificationError):
        return DownloadError(f"{text}; check this machine's clock and certificates, {BY_HAND}")
    return InterruptedTransfer(text)
