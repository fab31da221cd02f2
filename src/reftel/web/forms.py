"""What a request asks: the fields of a page's form, the numbers and the order of an address."""

from __future__ import annotations

from typing import cast, get_args
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from reftel.archive import Order

# Beyond this a number is a slip; SQLite and Tantivy hold it.
MOST = 2**40


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form as browsers send it (`application/x-www-form-urlencoded`)."""
    body = (await request.body()).decode("utf-8", "replace")
    return dict(parse_qsl(body, keep_blank_values=True))


def number_asked(request: Request, name: str, usual: int, least: int, most: int = MOST) -> int:
    """A number of the address. Raises `HTTPException` for what is none, or out of bounds."""
    given = request.query_params.get(name, str(usual))
    if not (given.isascii() and given.isdigit() and least <= int(given[:19]) <= most):
        raise HTTPException(400, f"{name} is a number from {least} to {most}, not {given}")
    return int(given)


def order_asked(request: Request) -> Order | None:
    """The order of results. Raises `HTTPException` for what is none."""
    order = request.query_params.get("order")
    if order not in (None, *get_args(Order)):
        raise HTTPException(400, f"order is one of {', '.join(get_args(Order))}, not {order}")
    return cast("Order | None", order)
