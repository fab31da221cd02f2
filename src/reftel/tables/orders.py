"""The executive orders on classification and when each was in force (telegram-content.md 3.11)."""

from __future__ import annotations

from typing import Final

ORDERS: Final[tuple[tuple[str, str, int], ...]] = (
    ("10501", "1953-12-15", 12),
    ("11652", "1972-06-01", 30),
    ("12065", "1978-12-01", 20),
    ("12356", "1982-08-01", 30),
    ("12958", "1995-10-14", 25),
    ("13526", "2010-06-27", 25),
)
"""Each order, the ISO date from which it was in force, and the most years that it lets a telegram stay
closed without an exemption of its own."""


def order_in_force(on: str) -> str:
    """The order in force on an ISO date; the oldest one before its time."""
    return next((order for order, since, _ in reversed(ORDERS) if on >= since), ORDERS[0][0])
