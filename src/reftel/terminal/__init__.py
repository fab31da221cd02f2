"""Telegrams and results as text for a terminal: values in, one string out."""

from reftel.terminal.anatomy import render_anatomy
from reftel.terminal.findings import render_findings
from reftel.terminal.render import render
from reftel.terminal.results import render_hit, render_results

__all__ = ["render", "render_anatomy", "render_findings", "render_hit", "render_results"]
