"""ID tokens, held against the issuer's keys and what was asked for (OpenID Connect Core 1.0, 3.1.3.7)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gis_service.settings import Oidc

LEEWAY_SECONDS: Final = 60
LONGEST: Final = 32_000
LEAST_RSA_BITS: Final = 2048
KINDS: Final = {"RS256": "RSA", "ES256": "EC"}
CURVE: Final = "P-256"
REQUIRED: Final = ["iss", "sub", "aud", "exp", "iat"]

Jwk = Mapping[str, Any]
Claims = Mapping[str, Any]


class TokenRefused(Exception):
    """Why a token isn't believed, for the log."""


class UnknownKey(TokenRefused):
    """The issuer's keys, as they were read last, have none for the token."""


def verified(token: str, keys: Sequence[Jwk], oidc: Oidc, nonce: str) -> Claims:
    """The claims of a token that the issuer made for us, now, for this very sign-in; TokenRefused else."""
    if len(token) > LONGEST:
        raise TokenRefused("too long")
    try:
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in KINDS or algorithm not in oidc.algorithms:
            raise TokenRefused(f"algorithm {algorithm!r}")
        if "crit" in header:
            raise TokenRefused("critical header")
        claims = jwt.decode(
            token,
            _key(keys, algorithm, header.get("kid")),
            algorithms=[algorithm],
            audience=oidc.client_id,
            issuer=oidc.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED},
        )
    except jwt.PyJWTError as err:
        raise TokenRefused(f"{type(err).__name__}: {err}") from err
    _check(claims, oidc.client_id, nonce)
    return claims


def _key(keys: Sequence[Jwk], algorithm: str, kid: object) -> RSAPublicKey | EllipticCurvePublicKey:
    """The one key of the algorithm's kind that the token names; without a name there may be only one."""
    fitting = [
        each
        for each in keys
        if each.get("kty") == KINDS[algorithm]
        and each.get("use", "sig") == "sig"
        and each.get("alg", algorithm) == algorithm
        and each.get("crv", CURVE) == CURVE
        and (kid is None or each.get("kid") == kid)
    ]
    if len(fitting) != 1:
        raise UnknownKey(f"{len(fitting)} keys {algorithm} of the id {kid!r}")
    key = jwt.PyJWK.from_dict(dict(fitting[0]), algorithm).key
    if isinstance(key, RSAPublicKey) and key.key_size >= LEAST_RSA_BITS:
        return key
    if isinstance(key, EllipticCurvePublicKey):
        return key
    raise TokenRefused("the key isn't a public one of at least 2048 bits")


def _check(claims: Claims, client_id: str, nonce: str) -> None:
    """What the library doesn't: for whom it was made among several, and for which sign-in."""
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    party = claims.get("azp")
    if party != client_id and (party is not None or len(audience) > 1):
        raise TokenRefused(f"made for {party!r}")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise TokenRefused("nonce")
    if not claims["sub"] or len(claims["sub"]) > 255:
        raise TokenRefused("subject")
