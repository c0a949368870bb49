"""A small provider of OpenID Connect on this machine: discovery, keys, codes with PKCE, signed tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

CLIENT, SECRET = "gis", "s3cret of the client"
Json = dict[str, Any]
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def number(value: int, size: int = 0) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


@dataclass(frozen=True)
class Key:
    """A signing key under its id."""

    kid: str
    private: Private

    @property
    def algorithm(self) -> str:
        return "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "ES256"

    def jwk(self) -> Json:
        common = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if isinstance(self.private, rsa.RSAPrivateKey):
            known = self.private.public_key().public_numbers()
            return {**common, "kty": "RSA", "n": number(known.n), "e": number(known.e)}
        point = self.private.public_key().public_numbers()
        return {**common, "kty": "EC", "crv": "P-256", "x": number(point.x, 32), "y": number(point.y, 32)}

    def pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def rsa_key(kid: str, bits: int = 2048) -> Key:
    return Key(kid, rsa.generate_private_key(65537, bits))


def ec_key(kid: str) -> Key:
    return Key(kid, ec.generate_private_key(ec.SECP256R1()))


def jws(header: Json, claims: Json, sign: Callable[[bytes], bytes]) -> str:
    """A token of that header and those claims."""
    text = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    return f"{text}.{b64(sign(text.encode()))}"


def signed(key: Key, claims: Json, **header: object) -> str:
    return jws({"alg": key.algorithm, "kid": key.kid, "typ": "JWT", **header}, claims, key.sign)


def hs256(secret: bytes, claims: Json, kid: str) -> str:
    """The public key used as if it were a password."""
    header = {"alg": "HS256", "kid": kid, "typ": "JWT"}
    return jws(header, claims, lambda data: hmac.new(secret, data, hashlib.sha256).digest())


def unsigned(claims: Json) -> str:
    return jws({"alg": "none", "typ": "JWT"}, claims, lambda _: b"")


@dataclass
class Provider:
    """What it knows; a test turns the knobs `person`, `keys`, `mint` and `answer`."""

    issuer: str
    keys: list[Key] = field(default_factory=lambda: [rsa_key("one"), ec_key("two")])
    person: Json = field(default_factory=lambda: {"sub": "0"})
    mint: Callable[[Json], str] | None = None  # how an ID token is made, instead of rightly
    answer: Json = field(default_factory=dict)  # more of what stands in the address back to the service
    described: Json = field(default_factory=dict)  # in place of what it says of itself
    codes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def claims(self, nonce: str) -> Json:
        now = int(time.time())
        return {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.person,
        }

    def discovery(self) -> Json:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + "/authorize",
            "token_endpoint": self.issuer + "/token",
            "jwks_uri": self.issuer + "/keys",
            "authorization_response_iss_parameter_supported": True,
            **self.described,
        }

    def authorize(self, query: Mapping[str, str]) -> str:
        """Where the browser is sent back to; everybody is signed in at once as `person`."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer, **self.answer}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def exchange(self, form: Mapping[str, str], authorization: str) -> tuple[int, Json]:
        """A code for a token: once, for who has the verifier and the secret."""
        begun = self.codes.pop(form.get("code", ""), None)
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        challenge = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            begun is None
            or pair != f"{CLIENT}:{SECRET.replace(' ', '%20')}"
            or challenge != begun["code_challenge"]
            or form.get("redirect_uri") != begun["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        claims = self.claims(begun["nonce"])
        token = signed(self.keys[0], claims) if self.mint is None else self.mint(claims)
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": token}


@contextmanager
def running() -> Iterator[Provider]:
    """A provider that listens as long as the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.provider = Provider(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]  # the handler finds it here
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.provider  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._provider.asked.append(parts.path)
        if parts.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.send_response(302)
            self.send_header("Location", self._provider.authorize(query))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif parts.path == "/keys":
            self._json(200, {"keys": [key.jwk() for key in self._provider.keys]})
        elif "elsewhere" in self._provider.described and parts.query != "again":
            self.send_response(302)
            self.send_header("Location", f"{self._provider.issuer}{parts.path}?again")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._json(200, self._provider.discovery())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self._json(*self._provider.exchange(form, self.headers.get("Authorization", "")))

    @property
    def _provider(self) -> Provider:
        found = self.server.provider  # type: ignore[attr-defined]  # set by running()
        assert isinstance(found, Provider)
        return found

    def _json(self, status: int, document: Json) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as the library names it
        """Say nothing."""
