"""What a test process works out only once, however many apps its tests make.

An app, its engine and its routes are made anew for each test. What depends on none of them but on the code alone is
kept here and handed on: SQL put together for a kind of database, an address taken apart, a template compiled, a
catalogue read.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Dialect, Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

MOST_STATEMENTS = 5000
TAKEN_APART = ("_parts", "_trace", "_converters", "arguments")
"""What `Rule.compile` works out and nothing changes afterwards."""
BUILDERS = ("_build", "_build_unknown")
"""And its functions that write an address, bound to the rule."""

_statements: dict[str, tuple[Dialect, LRUCache[Any, Any]]] = {}
_templates: dict[str, Any] = {}
_catalogues: dict[tuple[str, ...], dict[tuple[str, str], Any]] = {}
_rules: dict[object, tuple[dict[str, Any], list[Callable[..., Any]]]] = {}


def collect_rarely() -> None:
    """What is loaded by now is never looked through again for garbage, and the rest not at every turn."""
    if gc.get_freeze_count():
        return
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def keep_statements(engine: Engine) -> None:
    """Keeps what is put together for this kind of database, from an engine that has been connected."""
    _statements.setdefault(engine.dialect.name, (engine.dialect, LRUCache(MOST_STATEMENTS)))


def share(app: Flask) -> None:
    """Gives an app just made what others of this process have worked out."""
    app.jinja_env.bytecode_cache = _Compiled()
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
        babel = app.extensions["babel"]
        babel.instance.domain_instance.cache = _catalogues.setdefault(tuple(babel.translation_directories), {})
    if kept := _statements.get(engine.dialect.name):
        # A statement is found again under the very dialect that it was put together for. The engine's own one stays
        # with the making of its connections.
        engine.dialect, engine._compiled_cache = kept


class _Compiled(BytecodeCache):
    """Templates as Python code, by name and text."""

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = _templates.get(bucket.key + bucket.checksum)

    def dump_bytecode(self, bucket: Bucket) -> None:
        _templates[bucket.key + bucket.checksum] = bucket.code


def take_addresses_apart_once(rule_class: type[Rule]) -> None:
    """Lets all rules of a class with the same address share what compiling them yields."""
    compile_anew = rule_class.compile

    def compile_once(rule: Rule) -> None:
        assert rule.map is not None
        key = (rule.rule, rule.subdomain, rule.host, rule.map.host_matching, rule.merge_slashes, repr(rule.defaults),
               tuple(rule.map.converters.items()))  # fmt: skip
        if key not in _rules:
            compile_anew(rule)
            builders = [vars(rule)[name].__func__ for name in BUILDERS]
            _rules[key] = {name: vars(rule)[name] for name in TAKEN_APART}, builders
        parts, builders = _rules[key]
        vars(rule).update(parts)
        vars(rule).update((name, build.__get__(rule)) for name, build in zip(BUILDERS, builders, strict=True))

    rule_class.compile = compile_once  # type: ignore[method-assign, assignment]
