"""What axe finds wrong on a page."""

from __future__ import annotations

import json

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page


def faults_of(page: Page, *tags: str) -> list[str]:
    """Each broken rule with the first element that breaks it; with `tags` by the rules of these alone."""
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if tags:
        options["runOnly"] = list(tags)
    # In one go with the script, and what is sound stays in the browser: of a large page that is megabytes.
    run = f"""axe.run({json.dumps(options)}).then(
        ({{ violations }}) => violations.map(({{ id, nodes }}) => `${{id}}: ${{nodes[0].html}}`))"""
    found: list[str] = page.evaluate(f"() => {{ {AXE_SCRIPT}\n; return {run}; }}")
    return found
