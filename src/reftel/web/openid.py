"""Logging in at an OpenID provider (OpenID Connect Core 1.0: code flow with PKCE, state and nonce)."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from reftel.access import Deed
from reftel.web.readers import Asking, Readers, onward

if TYPE_CHECKING:
    from reftel.web.app import ReadingRoom

COOKIE = "reftel-reader"
_KEY_FILE = "session.key"
_WAIT_S = 20.0


class OpenIdLogin:
    """Log-in and log-out of a reading room's readers. The session is a signed cookie: name, groups, end."""

    def __init__(self, room: ReadingRoom, readers: Readers) -> None:
        """Raises `ImportError` where Authlib is not installed."""
        from authlib.integrations.starlette_client import OAuth

        config = readers.policy.access.openid
        assert config is not None
        self._config = config
        self._readers = readers
        self._room = room
        secret = None
        if config.secret_file:
            secret = (readers.policy.access.folder / config.secret_file).read_text().strip()
        self._provider = OAuth().register(
            "provider",
            client_id=config.client,
            client_secret=secret,
            server_metadata_url=f"{config.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": config.scope,
                "code_challenge_method": "S256",
                "timeout": _WAIT_S,
                **({} if secret else {"token_endpoint_auth_method": "none"}),
            },
        )

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/login", self.login),
            Route("/login/done", self.done),
            Route("/logout", self.logout, methods=["POST"]),
        ]

    @property
    def middleware(self) -> Middleware:
        """The session, before the door."""
        return Middleware(
            SessionMiddleware,
            secret_key=self._key(),
            session_cookie=COOKIE,
            max_age=int(self._config.hours * 3600),
            same_site="lax",
            https_only=(self._config.address or "").startswith("https:"),
        )

    def _key(self) -> str:
        """The key that signs sessions, kept beside the archive so that they outlive a restart."""
        path = self._room.archive.folder / _KEY_FILE
        if not path.exists():
            part = path.with_suffix(".part")
            part.touch(0o600)
            part.write_text(secrets.token_urlsafe(48))
            part.replace(path)
        return path.read_text()

    async def login(self, request: Request) -> Response:
        """`/login`: to the provider, which asks who it is."""
        for key in [key for key in request.session if key.startswith("_state_")]:
            # Log-ins that were begun and not ended.
            del request.session[key]
        request.session["next"] = onward(request.query_params.get("next", "/"))
        base = (self._config.address or str(request.base_url)).rstrip("/")
        try:
            answer: Response = await self._provider.authorize_redirect(
                request, f"{base}/login/done"
            )
        except Exception as error:
            raise _unreachable(self._config.issuer, error) from error
        return answer

    async def done(self, request: Request) -> Response:
        """`/login/done`: back from the provider, with a code for who it is."""
        from authlib.integrations.base_client import OAuthError
        from joserfc.errors import JoseError

        try:
            token: dict[str, Any] = await self._provider.authorize_access_token(request)
        except (OAuthError, JoseError) as error:
            reason = f"You are not logged in: {getattr(error, 'description', None) or error}"
            raise HTTPException(403, reason) from error
        except Exception as error:
            raise _unreachable(self._config.issuer, error) from error
        claims: dict[str, Any] = token.get("userinfo") or {}
        if self._config.name not in claims or self._missing_groups(claims):
            claims = {**claims, **await self._asked(token, claims)}
        name = claims.get(self._config.name)
        if not isinstance(name, str) or not name.strip():
            raise HTTPException(
                403, f"You are not logged in: the provider names nobody ({self._config.name})."
            )
        groups = claims.get(self._config.groups) if self._config.groups else None
        to = onward(request.session.get("next", "/"))
        request.session.clear()
        request.session.update(
            name=name,
            groups=[str(each) for each in groups] if isinstance(groups, list) else [],
            until=time.time() + self._config.hours * 3600,
        )
        asking: Asking = request.state.asking
        asking.reader = self._readers.policy.reader(name, request.session["groups"])
        asking.deeds.append(Deed("log-in", self._config.issuer))
        return RedirectResponse(to, 303)

    def _missing_groups(self, claims: dict[str, Any]) -> bool:
        return self._config.groups is not None and self._config.groups not in claims

    async def _asked(self, token: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
        """What the provider says of the person where the ID token says too little."""
        try:
            found = dict(await self._provider.userinfo(token=token))
        except Exception:
            return {}
        # OpenID Connect Core 5.3.2: of another person, it must not be used.
        return found if found.get("sub") == claims.get("sub") else {}

    async def logout(self, request: Request) -> Response:
        """`/logout`: the session ends."""
        self._room.same_origin(request)
        asking: Asking = request.state.asking
        if asking.session:
            asking.deeds.append(Deed("log-out", ""))
        request.session.clear()
        return RedirectResponse("/me", 303)


def _unreachable(issuer: str, error: Exception) -> HTTPException:
    return HTTPException(
        502, f"{issuer} cannot be asked who you are: {error or type(error).__name__}"
    )
