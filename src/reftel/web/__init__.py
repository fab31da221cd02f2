"""The reading room: an archive as pages, plain HTML that works without script."""

from reftel.web.app import app
from reftel.web.server import get, serve

__all__ = ["app", "get", "serve"]
