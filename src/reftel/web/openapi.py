"""The description of the API in OpenAPI 3.1, made from its operations and from the types they give."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

import reftel
from reftel.archive.model import TimeOrder
from reftel.archive.results import Result
from reftel.telegram import record_schema
from reftel.web.forms import MOST

_REFERENCES = "#/components/schemas/{name}"


class Mistake(msgspec.Struct, frozen=True):
    """What was wrong: `position` is the character of the query (from 0), where there is one."""

    error: str
    status: int
    position: int | None = None


class HeldDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """A filed document: its digest, where it came from, when it was filed (ISO 8601 UTC), the digest of
    a better copy of the same telegram if there is one, and the record with the exact text. Where these
    cannot be read, `damaged` says why and what to do, and the record has number and time alone."""

    digest: str
    origin: str
    filed: str
    variant_of: str | None
    record: dict[str, Any]
    damaged: str | None = None


class BatchRequest(msgspec.Struct, frozen=True):
    """Queries, and how many results of each (null: all)."""

    queries: list[str]
    order: TimeOrder = "newest"
    limit: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | None = msgspec.field(default=None)


class SaveRequest(msgspec.Struct, frozen=True):
    query: str


class SavedState(msgspec.Struct, frozen=True):
    """A saved search: when it was saved and last looked at (ISO 8601 UTC), how many results it has and
    how many of them are new; `mistake` says why there are none of a query that is none any more."""

    name: str
    query: str
    saved: str
    looked: str
    total: int
    new: int
    mistake: str | None = None


class New(msgspec.Struct, frozen=True):
    """The new results of a saved search from `offset` on, newest first."""

    search: SavedState
    offset: int
    results: tuple[Result, ...]


@dataclass(frozen=True)
class Parameter:
    name: str
    place: str
    schema: dict[str, Any]
    text: str


@dataclass(frozen=True)
class Operation:
    """One operation: its address, what it takes and gives, and the mistakes that it answers to."""

    method: str
    path: str
    name: str
    text: str
    answer: Callable[..., Any]
    parameters: tuple[Parameter, ...] = ()
    takes: type[msgspec.Struct] | None = None
    gives: Any = None
    status: int = 200
    media_type: str = "application/json"
    media_types: tuple[str, ...] = ()
    wrong: dict[int, str] = field(default_factory=dict)


def number(name: str, default: int, least: int, most: int, text: str) -> Parameter:
    """A parameter that is a number within bounds."""
    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return Parameter(name, "query", schema, text)


def description(operations: tuple[Operation, ...]) -> dict[str, Any]:
    """The API as an OpenAPI document, without servers."""
    types = {id(kind): kind for each in operations for kind in (each.takes, each.gives) if kind}
    schemas, components = msgspec.json.schema_components(
        [*types.values(), Mistake], ref_template=_REFERENCES
    )
    shown = dict(zip(types, schemas, strict=False))
    mistake = schemas[-1]
    record = record_schema()
    definitions = record.pop("$defs")
    record.pop("$schema")
    components |= _moved(definitions)
    components["Record"] = _moved(record)
    components["HeldDocument"]["properties"]["record"] = {"$ref": _REFERENCES.format(name="Record")}
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, shown, mistake)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Reftel",
            "version": reftel.__version__,
            "summary": "Search, read and cite the telegrams of an archive.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(
    each: Operation, shown: dict[int, dict[str, Any]], mistake: dict[str, Any]
) -> dict[str, Any]:
    answers: dict[str, Any] = {str(each.status): {"description": each.text}}
    if each.gives is not None:
        # Of lines of JSON, the schema is one line's.
        answers[str(each.status)]["content"] = {each.media_type: {"schema": shown[id(each.gives)]}}
    elif each.media_types:
        answers[str(each.status)]["content"] = {kind: {} for kind in each.media_types}
    for status, text in each.wrong.items():
        answers[str(status)] = {
            "description": text,
            "content": {"application/json": {"schema": mistake}},
        }
    values: dict[str, Any] = {
        "operationId": each.name,
        "summary": each.text,
        "parameters": [
            {
                "name": one.name,
                "in": one.place,
                "required": one.place == "path",
                "description": one.text,
                "schema": one.schema,
            }
            for one in each.parameters
        ],
        "responses": answers,
    }
    if each.takes:
        values["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": shown[id(each.takes)]}},
        }
    return values


def _moved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema whose references point at the components of the description."""
    text = msgspec.json.encode(schema).decode()
    moved: dict[str, Any] = msgspec.json.decode(
        re.sub(r'"#/\$defs/', '"#/components/schemas/', text)
    )
    return moved
