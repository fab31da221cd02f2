"""Findings in SARIF 2.1.0, the form that editors and code hosts read (OASIS, 2020)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reftel.check.finding import RULES, Finding

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(
    checked: Iterable[tuple[str, str, tuple[Finding, ...]]],
    *,
    version: str,
    silenced: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """One run over several texts: `checked` are path, source and findings of each.

    A finding of a rule in `silenced` (number to reason) is kept, as suppressed with its reason.
    """
    numbers = list(RULES)
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "reftel",
                        "version": version,
                        "rules": [_rule(number) for number in numbers],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    _result(path, source, finding, numbers, silenced or {})
                    for path, source, findings in checked
                    for finding in findings
                ],
            }
        ],
    }


def _rule(number: str) -> dict[str, Any]:
    rule = RULES[number]
    return {
        "id": number,
        "name": rule.name,
        "shortDescription": {"text": rule.sentence},
        "help": {"text": f"Source: {rule.source}"},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(
    path: str, source: str, finding: Finding, numbers: list[str], silenced: Mapping[str, str]
) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": path}}
    if finding.span is not None and finding.line is not None:
        text = finding.span.of(source)
        lines = text.split("\n")
        column = finding.column or 1
        place["region"] = {
            "startLine": finding.line,
            "startColumn": column,
            "endLine": finding.line + len(lines) - 1,
            "endColumn": (column if len(lines) == 1 else 1) + len(lines[-1]),
        }
    message = (
        f"{finding.message}. Found: {finding.found}. Expected: {finding.expected}."
        f" To do: {finding.remedy}. ({finding.source})"
    )
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": numbers.index(finding.rule),
        "level": finding.severity,
        "message": {"text": message},
        "locations": [{"physicalLocation": place}],
    }
    if finding.rule in silenced:
        result["suppressions"] = [{"kind": "external", "justification": silenced[finding.rule]}]
    return result
