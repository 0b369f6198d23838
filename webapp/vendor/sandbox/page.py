"""The page that lists people and situations, in Chinese or English, without a script. Pure: no I/O."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from urllib.parse import parse_qs

from webapp.vendor.sandbox.answers import Answer
from webapp.vendor.sandbox.listing import (
    METER_HEADINGS,
    PEOPLE_HEADINGS,
    SCENARIO_HEADINGS,
    Language,
    meter_rows,
    people_rows,
    scenario_rows,
)
from webapp.vendor.sandbox.meter import KEY, PATH
from webapp.vendor.sandbox.people import UNKNOWN_NUMBERS
from webapp.vendor.sandbox.scenarios import SECTION_TITLES

_STYLE = """
:root { color-scheme: light dark;
  --line: #c8ced6; --soft: #f3f5f8; --text: #1b2430; --back: #fff; --link: #0b57b0 }
@media (prefers-color-scheme: dark) {
  :root { --line: #465060; --soft: #1d2530; --text: #e6eaf0; --back: #12171e; --link: #8ab8ff }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 84rem; padding: 1rem 1.25rem 3rem;
  background: var(--back); color: var(--text);
  font: 1rem/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif }
a { color: var(--link) }
h1 { font-size: 1.6rem; margin: .5rem 0 }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem }
nav a { display: inline-block; min-height: 1.5rem; margin-right: 1rem }
code, .number { font-family: ui-monospace, Consolas, monospace; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line) }
thead th { background: var(--soft); white-space: nowrap }
tbody th { width: 15rem; font-weight: 600; overflow-wrap: anywhere }
@media (max-width: 48rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  table, tbody, tr, th, td { display: block; border: 0 }
  tr { margin: 0 0 .75rem; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .5rem }
  tbody th, td { width: auto; padding: .1rem 0 }
  td::before { content: attr(data-label) "："; opacity: .75 }
  html[lang="en"] td::before { content: attr(data-label) ": " }
}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

GUARDS = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", _POLICY),
)

_TEXTS: dict[Language, dict[str, str]] = {
    "zh": {
        "html": "zh-CN",
        "title": "余量演练服务",
        "intro": "它代替服务商，像服务商一样答复，也像服务商一样出错。这里的人都是虚构的，不要输入真实人员。",
        "people": "人员",
        "people_note": "姓名与号码都相符返回 0000；号码相符、姓名不符返回 0008；号码不在表中返回 0007，例如",
        "situations": "情形",
        "situations_note": "用下列姓名核验，号码任意，就会发生对应的情形。",
        "counter": "服务商自己的计数",
        "counter_note": "DescribeApiMetering，地址与唯一的密钥（别处无效）：",
        "other": "English",
        "other_lang": "en",
    },
    "en": {
        "html": "en",
        "title": "Yuliang sandbox",
        "intro": "It stands in for the vendor: it answers like it and fails like it. "
        "Everybody here is invented; do not enter real people.",
        "people": "People",
        "people_note": "Name and number both right: 0000. The number with another name: 0008. "
        "A number not listed: 0007, for example",
        "situations": "Situations",
        "situations_note": "Verify one of these names with any number, and the situation happens.",
        "counter": "The vendor's own counter",
        "counter_note": "DescribeApiMetering; its address and its only key, which opens nothing else:",
        "other": "中文",
        "other_lang": "zh",
    },
}


def language(target: str, accepted: str) -> Language:
    """By `?lang=`, else by the browser's first preference among the two, else Chinese."""
    chosen = parse_qs(target.partition("?")[2]).get("lang", [""])[0]
    if chosen in ("zh", "en"):
        return "zh" if chosen == "zh" else "en"
    for preferred in accepted.lower().split(","):
        if preferred.strip().startswith(("zh", "en")):
            return "zh" if preferred.strip().startswith("zh") else "en"
    return "zh"


def render(chosen: Language) -> Answer:
    """The page as an answer, with its strict content security policy."""
    text = _TEXTS[chosen]
    title_at = 0 if chosen == "zh" else 1
    unknown = " ".join(f'<span class="number">{number}</span>' for number in UNKNOWN_NUMBERS)
    sections = "".join(
        f"<h3>{escape(titles[title_at])}</h3>" + _table(SCENARIO_HEADINGS[chosen], scenario_rows(chosen, section))
        for section, titles in SECTION_TITLES.items()
    )
    html = f"""<!doctype html>
<html lang="{text["html"]}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{text["title"]}</title><style>{_STYLE}</style></head><body>
<header><h1>{text["title"]}</h1><p>{text["intro"]}</p>
<nav><a href="#people">{text["people"]}</a>
<a href="#situations">{text["situations"]}</a>
<a href="#counter">{text["counter"]}</a>
<a href="/?lang={text["other_lang"]}" hreflang="{text["other_lang"]}">{text["other"]}</a></nav></header>
<main><h2 id="people">{text["people"]}</h2><p>{text["people_note"]} {unknown}</p>
{_table(PEOPLE_HEADINGS[chosen], people_rows(chosen))}
<h2 id="situations">{text["situations"]}</h2><p>{text["situations_note"]}</p>
{sections}
<h2 id="counter">{text["counter"]}</h2>
<p>{text["counter_note"]} <code>{PATH}</code> <code>{KEY.id}</code> <code>{KEY.secret}</code></p>
{_table(METER_HEADINGS[chosen], meter_rows(chosen))}</main></body></html>
"""
    return Answer(200, (("Content-Type", "text/html; charset=utf-8"), *GUARDS), html.encode())


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(_row(headings, row) for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(headings: Sequence[str], row: Sequence[str]) -> str:
    cells = "".join(
        f'<td data-label="{escape(heading)}">{escape(cell)}</td>'
        for heading, cell in zip(headings[1:], row[1:], strict=True)
    )
    return f'<tr><th scope="row" lang="zh-CN">{escape(row[0])}</th>{cells}</tr>'
