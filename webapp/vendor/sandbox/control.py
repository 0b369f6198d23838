"""The sandbox's own addresses, which the vendor does not have: a page for people, JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from urllib.parse import urlsplit

from webapp.vendor.sandbox import page
from webapp.vendor.sandbox.answers import JSON_TYPE, Answer
from webapp.vendor.sandbox.front_door import Request
from webapp.vendor.sandbox.listing import SCENARIO_HEADINGS, scenario_rows
from webapp.vendor.sandbox.people import MANUAL_PEOPLE, PEOPLE
from webapp.vendor.sandbox.settings import SandboxSettings, SettingsRefused
from webapp.vendor.sandbox.state import State

PREFIX = "/_sandbox/"


def owns(request: Request) -> bool:
    """Whether this request is for the sandbox itself; everything else is the vendor's address space."""
    return request.path.startswith(PREFIX) or (request.path == "/" and request.method in ("GET", "HEAD"))


def serve(request: Request, state: State) -> Answer:
    """Never raises for what a client sends."""
    if request.path == "/":
        return page.render(page.language(request.target, request.headers.get("Accept-Language", "")))
    methods = ADDRESSES.get(request.path.removeprefix(PREFIX))
    if methods is None:
        return _refuse(404, f"no such address; there are {', '.join(sorted(ADDRESSES))} under {PREFIX}")
    action = methods.get("GET" if request.method == "HEAD" else request.method)
    if action is None:
        return _refuse(405, f"use {' or '.join(methods)}")
    if request.method == "POST" and _foreign(request):
        return _refuse(403, "a page of another origin may not do this")
    try:
        return action(request, state)
    except SettingsRefused as refused:
        return _refuse(400, str(refused))


def _counts(request: Request, state: State) -> Answer:
    return _json(asdict(state.counts()))


def _reset(request: Request, state: State) -> Answer:
    state.reset()
    return _counts(request, state)


def _settings(request: Request, state: State) -> Answer:
    return _shown(state.settings)


def _change(request: Request, state: State) -> Answer:
    return _shown(state.change(_object(request)))


def _calls(request: Request, state: State) -> Answer:
    asked = _object(request)
    name, number = asked.get("name"), asked.get("idNo")
    if not isinstance(name, str) or not isinstance(number, str):
        raise SettingsRefused('send {"name": "…", "idNo": "…"}')
    return _json(asdict(state.calls(name, number)))


def _people(request: Request, state: State) -> Answer:
    everybody = PEOPLE + MANUAL_PEOPLE
    return _json([{"name": one.name, "idNo": one.number, "zh": one.zh, "en": one.en} for one in everybody])


def _scenarios(request: Request, state: State) -> Answer:
    keys = SCENARIO_HEADINGS["en"]
    return _json([dict(zip(keys, row, strict=True)) for row in scenario_rows("en")])


def _shown(settings: SandboxSettings) -> Answer:
    """The AppCode is not said: somebody may have set a real one."""
    return _json(asdict(settings) | {"appcode": settings.appcode and "(set)"})


def _object(request: Request) -> dict[str, object]:
    try:
        sent = json.loads(request.body or b"")
    except (ValueError, RecursionError):
        sent = None
    if not isinstance(sent, dict):
        raise SettingsRefused(f"send a JSON object of at most 64 KiB to {request.path}")
    return sent


def _foreign(request: Request) -> bool:
    origin = request.headers.get("Origin")
    try:
        return origin is not None and urlsplit(origin).netloc != request.headers.get("Host")
    except ValueError:
        return True


def _json(content: object, status: int = 200) -> Answer:
    body = json.dumps(content, ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n"
    return Answer(status, (("Content-Type", JSON_TYPE), *page.GUARDS), body)


def _refuse(status: int, message: str) -> Answer:
    return _json({"error": message}, status)


_Action = Callable[[Request, State], Answer]
ADDRESSES: dict[str, dict[str, _Action]] = {
    "counts": {"GET": _counts},
    "reset": {"POST": _reset},
    "settings": {"GET": _settings, "POST": _change},
    "calls": {"POST": _calls},
    "people": {"GET": _people},
    "scenarios": {"GET": _scenarios},
}
