"""Passwords of operators and mail accounts: kept as a scrypt digest, made by `reftel centre secret`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

_COST = {"n": 2**14, "r": 8, "p": 1}


def secret(password: str) -> str:
    """What the configuration keeps of a password: `scrypt:salt:digest`."""
    salt = os.urandom(16)
    return f"scrypt:{_text(salt)}:{_text(_digest(password, salt))}"


def matches(kept: str, password: str) -> bool:
    """Whether a password is the one that `secret` was made of."""
    try:
        kind, salt, digest = kept.split(":")
        return kind == "scrypt" and hmac.compare_digest(
            _digest(password, base64.b64decode(salt)), base64.b64decode(digest)
        )
    except ValueError:
        return False


def well_formed(kept: str) -> bool:
    """Whether this is a secret that `secret` may have made."""
    try:
        kind, salt, digest = kept.split(":")
        return kind == "scrypt" and len(base64.b64decode(salt)) >= 16 and bool(digest)
    except ValueError:
        return False


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
