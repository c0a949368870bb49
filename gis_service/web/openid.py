"""The issuer of OpenID Connect: found by discovery, asked with a time-out in threads of its own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ipaddress
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import orjson

from gis_service.errors import GisError
from gis_service.observe import Log
from gis_service.settings import Oidc

DISCOVERY: Final = "/.well-known/openid-configuration"
KEPT_SECONDS: Final = 3600.0
TIMEOUT_SECONDS: Final = 10.0
WHOLE_SECONDS: Final = 20.0
MOST_BYTES: Final = 1_000_000
_log = Log("gis.web")

Json = Mapping[str, Any]


class IssuerDown(GisError):
    """The identity provider can't be asked just now; try again, or sign in with a key."""

    status, code, exit_code = 503, "issuer-down", 1


class IssuerRefused(GisError):
    """The identity provider's answer isn't accepted; sign in anew."""

    status, code, exit_code = 403, "issuer-refused", 2


@dataclass(frozen=True, slots=True)
class Flow:
    """What one sign-in has of its own, between leaving for the issuer and coming back."""

    state: str
    nonce: str
    verifier: str
    redirect: str


@dataclass(frozen=True, slots=True)
class _Metadata:
    authorization: str
    token: str
    keys: str
    posts_secret: bool
    names_itself: bool  # in its answer: RFC 9207


class Issuer:
    """One for each web process; what it learns of the issuer is kept for an hour."""

    def __init__(self, oidc: Oidc) -> None:
        self.oidc = oidc
        self.host = urlsplit(oidc.issuer).hostname or ""
        self._threads = ThreadPoolExecutor(2, "gis-issuer")
        self._metadata: tuple[float, _Metadata] | None = None
        self._keys: tuple[float, list[Json]] | None = None

    async def address(self, flow: Flow) -> str:
        """Where the browser goes to sign in."""
        known = await self._known()
        challenge = hashlib.sha256(flow.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.oidc.client_id,
            "redirect_uri": flow.redirect,
            "scope": " ".join(dict.fromkeys(("openid", *self.oidc.scopes))),
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        joint = "&" if urlsplit(known.authorization).query else "?"
        return f"{known.authorization}{joint}{urlencode(query)}"

    async def check_sender(self, iss: str | None) -> None:
        """IssuerRefused where the answer names another issuer, or none although it would (RFC 9207)."""
        if iss is None and not (await self._known()).names_itself:
            return
        if iss != self.oidc.issuer:
            raise _refused(f"answer of {iss!r}")

    async def claims(self, code: str, flow: Flow) -> Json:
        """What the issuer says of who brings the code; IssuerRefused where it doesn't hold."""
        # Late, since it takes 8 MB in each worker and many services have no issuer.
        from gis_service.web import id_token  # noqa: PLC0415

        token = (await self._exchanged(code, flow)).get("id_token")
        if not isinstance(token, str):
            raise _refused("no ID token")
        try:
            try:
                return id_token.verified(token, await self._signing(), self.oidc, flow.nonce)
            except id_token.UnknownKey:
                self._keys = None  # the issuer may have new ones
                return id_token.verified(token, await self._signing(), self.oidc, flow.nonce)
        except id_token.TokenRefused as err:
            raise _refused(str(err)) from err

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _known(self) -> _Metadata:
        if self._metadata is None or time.monotonic() - self._metadata[0] > KEPT_SECONDS:
            found = await self._fetched(self.oidc.issuer.rstrip("/") + DISCOVERY)
            self._metadata = (time.monotonic(), self._read(found))
        return self._metadata[1]

    def _read(self, found: Json) -> _Metadata:
        """What of its description is used; it must call itself as the settings call it."""
        if found.get("issuer") != self.oidc.issuer:
            raise _down(f"it calls itself {found.get('issuer')!r}")
        authorization, token, keys = (
            self._end(found.get(name)) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        )
        methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return _Metadata(
            authorization,
            token,
            keys,
            posts_secret="client_secret_basic" not in methods,
            names_itself=found.get("authorization_response_iss_parameter_supported") is True,
        )

    def _end(self, address: object) -> str:
        if not (isinstance(address, str) and (address.startswith("https://") or self._is_near(address))):
            raise _down(f"endpoint {address!r}")
        return address

    def _is_near(self, address: str) -> bool:
        """Plain http only between programs of this machine."""
        return all(is_loopback(each) for each in (address, self.oidc.issuer))

    async def _signing(self) -> list[Json]:
        if self._keys is None or time.monotonic() - self._keys[0] > KEPT_SECONDS:
            found = (await self._fetched((await self._known()).keys)).get("keys")
            if not isinstance(found, list):
                raise _down("no keys")
            self._keys = (time.monotonic(), [each for each in found if isinstance(each, dict)])
        return self._keys[1]

    async def _exchanged(self, code: str, flow: Flow) -> Json:
        known, oidc, headers = await self._known(), self.oidc, {}
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": flow.redirect,
            "code_verifier": flow.verifier,
        }
        if not oidc.client_secret or known.posts_secret:
            form["client_id"] = oidc.client_id
            if oidc.client_secret:
                form["client_secret"] = oidc.client_secret
        else:
            pair = f"{quote(oidc.client_id, safe='')}:{quote(oidc.client_secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return await self._fetched(known.token, urlencode(form).encode(), headers)

    async def _fetched(self, url: str, body: bytes | None = None, headers: Mapping[str, str] = {}) -> Json:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                text = await loop.run_in_executor(self._threads, _fetch, url, body, headers)
            found = orjson.loads(text)
        except urllib.error.HTTPError as err:
            err.close()
            if body is not None and 400 <= err.code < 500:
                raise _refused(f"{url} answers {err.code}") from err
            raise _down(f"{url} answers {err.code}") from err
        except (OSError, HTTPException, TimeoutError, ValueError) as err:
            raise _down(f"{url}: {err}") from err
        if not isinstance(found, dict):
            raise _down(f"{url} gives no object")
        return found


def is_loopback(address: str) -> bool:
    """Whether it's plain http to this machine."""
    parts = urlsplit(address)
    if parts.scheme != "http":
        return False
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def _fetch(url: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
    """The body of the answer; neither another address nor, to this machine, a proxy is gone to."""
    request = urllib.request.Request(url, body, {"Accept": "application/json", **headers})  # noqa: S310  # the scheme was held to https, or http to this machine
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if is_loopback(url):
        handlers.append(urllib.request.ProxyHandler({}))
    with urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT_SECONDS) as answer:
        text = answer.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise ValueError("too long an answer")
    return bytes(text)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An answer that sends elsewhere is a failure."""

    def redirect_request(self, *_: object) -> None:
        return None


def _refused(reason: str) -> IssuerRefused:
    _log.warning("sign-in refused", reason=reason[:300])
    return IssuerRefused()


def _down(reason: str) -> IssuerDown:
    _log.warning("issuer", reason=reason[:300])
    return IssuerDown()
