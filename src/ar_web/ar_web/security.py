"""Who may talk to the page: checks of Host, Origin and token, and the headers every answer carries.

Three attacks are meant. DNS rebinding (a foreign name that suddenly resolves to this machine): the Host header must
name this machine. Cross-site requests and websockets (a foreign page in the user's browser): the Origin header must be
ours. Strangers in the same network: beyond loopback every visitor needs the token of the printed URL.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

MIN_TOKEN = 8

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Whether a server bound to ``host`` can be reached from this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def choose_token(host: str, token: str) -> str:
    """The token visitors must show: the given one; a new one if none was given beyond loopback; else "" (none asked).

    Raises ValueError for a token that could be guessed or does not fit into a URL.
    """
    if not token:
        return "" if is_loopback(host) else secrets.token_urlsafe(16)
    if len(token) < MIN_TOKEN or not all(c.isalnum() or c in "-_.~" for c in token) or not token.isascii():
        raise ValueError(f"token: at least {MIN_TOKEN} letters, digits, or any of -_.~ are needed; or leave it empty")
    return token


def own_address() -> str:
    """The address under which others in the network most likely reach this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address; a UDP connect sends nothing
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


@dataclass(frozen=True)
class Gate:
    """Decides on the headers of a request. ``host``: what the server is bound to; ``token``: "" if none is asked."""

    host: str = "127.0.0.1"
    token: str = ""

    def refuse_host(self, host: str | None) -> str | None:
        """Why a request with this Host header is refused, or None."""
        name = _hostname(host)
        if name is None:
            return "the Host header is missing or malformed"
        if is_loopback(name) or name == self.host.lower():
            return None
        if not is_loopback(self.host):
            machine = socket.gethostname().lower()
            if name in (machine, f"{machine}.local") or _is_address(name):  # an address cannot be rebound
                return None
        return f"this page does not answer to the name '{name[:80]}'; open it by the printed address"

    def refuse_origin(self, origin: str | None, host: str | None) -> str | None:
        """Why a request with this Origin is refused, or None. Browsers always send it where it matters."""
        if origin is None:
            return None
        try:
            parts = urlsplit(origin)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme in ("http", "https") and host and parts.netloc.lower() == host.lower():
            return None
        return "another web page tried to use this one"

    def knows(self, shown: str | None) -> bool:
        """Whether ``shown`` is the token (in constant time); always true where none is asked."""
        return not self.token or (
            shown is not None and hmac.compare_digest(shown.encode(errors="replace"), self.token.encode())
        )


def _hostname(host: str | None) -> str | None:
    """The name in a Host header, lower case, without port and brackets."""
    if not host:
        return None
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises if it is not a number
    except ValueError:
        return None
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return None
    return parts.hostname


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
