"""The house stands as design and README draw it: what imports what, how large things grow, what an import does."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS: tuple[tuple[str, ...], ...] = (
    ("foundation", "settings"),
    ("persons", "vendor"),
    ("audit", "notify"),
    ("accounts",),
    ("usage",),
    ("quota",),
    ("verification",),
    ("receipts",),
    ("history", "reconciliation"),
    ("reminders", "renewals"),
    ("retention",),
    ("dashboard", "configuration", "practice", "watching", "demo"),
    ("navigation", "checking", "clockwork"),
    ("scheduler",),
    ("serving",),
    ("application",),
    ("webapp",),
    ("opening",),
    ("cli",),
    ("__main__",),
)
"""From the ground up: a room imports from lower floors, never from its neighbours. `settings` stands inside the
foundation, which reads it; `opening` and `cli` stand on the composition root, for they make the app."""

TOGETHER = {("foundation", "settings"), ("settings", "foundation")}
PURE_MAY_IMPORT = {
    "foundation.clock": "for its arithmetic of days; a call of utc_now fails below",
    "accounts.models": "for the word Role",
}
IMPURE = {"os", "sys", "io", "socket", "ssl", "http", "urllib.request", "time", "threading", "subprocess", "random",
          "secrets", "pathlib", "sqlite3", "logging", "tempfile", "shutil", "asyncio", "multiprocessing"}  # fmt: skip
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 350, 60


def files() -> dict[str, Path]:
    """Module name without `webapp.` (the package itself is `webapp`) → file."""
    named = {}
    for path in sorted((ROOT / "webapp").rglob("*.py")):
        parts = path.relative_to(ROOT / "webapp").with_suffix("").parts
        named[".".join(parts).removesuffix(".__init__").replace("__init__", "webapp")] = path
    return named


FILES = files()


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


@cache
def imported(module: str) -> frozenset[str]:
    """Dotted names of all that `module` imports, wherever in it; ours as in FILES."""
    return frozenset(ours(name) for node in ast.walk(tree(module)) for name in names_in(node))


def names_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute here"
        for alias in node.names:
            name = f"{node.module}.{alias.name}"
            known = name.removeprefix("webapp.") in FILES and name.startswith("webapp.")
            yield name if known else str(node.module)


def ours(name: str) -> str:
    return name.removeprefix("webapp.") if name == "webapp" or name.startswith("webapp.") else f"/{name}"


def inside(module: str) -> list[str]:
    return [name for name in imported(module) if not name.startswith("/")]


def outside(module: str) -> list[str]:
    return [name[1:] for name in imported(module) if name.startswith("/")]


def room(module: str) -> str:
    return module.split(".")[0]


def calls(module: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(module)) if isinstance(node, ast.Call))


def pure(module: str) -> bool:
    return re.search(r"\bPure[:.]", ast.get_docstring(tree(module)) or "") is not None


def importers(library: str) -> set[str]:
    return {module for module in FILES if any(name.split(".")[0] == library for name in outside(module))}


def test_every_room_has_its_floor() -> None:
    rooms = {room(module) for module in FILES}

    assert rooms <= {name for floor in FLOORS for name in floor}
    assert {"foundation", "verification", "webapp", "cli"} <= rooms


def test_imports_go_down_only() -> None:
    level = {name: height for height, floor in enumerate(FLOORS) for name in floor}

    upward = [
        f"{module} imports {name}"
        for module in FILES
        for name in inside(module)
        if room(module) != room(name)
        and level[room(name)] >= level[room(module)]
        and (room(module), room(name)) not in TOGETHER
    ]

    assert upward == []


def test_nothing_imports_in_a_circle() -> None:
    order = TopologicalSorter({module: inside(module) for module in FILES})

    assert set(order.static_order()) >= set(FILES)  # raises CycleError, naming the circle


def test_no_feature_uses_the_views_of_another() -> None:
    used = [f"{m} uses {name}" for m in FILES for name in inside(m) if name.endswith("views") and room(m) != room(name)]

    assert [one for one in used if not one.startswith("application ")] == []
    assert len(used) >= 10, "the composition root registers them"


def test_pure_modules_import_pure_modules_only() -> None:
    modules = [module for module in FILES if pure(module)]

    impure = [
        f"{module} imports {name.lstrip('/')}"
        for module in modules
        for name in imported(module)
        if name not in PURE_MAY_IMPORT and not (pure(name) if name in FILES else harmless(name.lstrip("/")))
    ]

    assert impure == []
    assert {"persons.id_numbers", "vendor.codes", "quota.rules", "accounts.permissions"} <= set(modules)


def harmless(library: str) -> bool:
    return library.split(".")[0] in sys.stdlib_module_names and not {library, library.split(".")[0]} & IMPURE


def test_pure_modules_never_ask_the_clock_or_open_a_file() -> None:
    asked = [
        f"{module}:{call.lineno} {ast.unparse(call.func)}"
        for module in filter(pure, FILES)
        for call in calls(module)
        if re.search(r"\b(now|utcnow|today|utc_now|open|print|input)$", ast.unparse(call.func))
    ]

    assert asked == []


@pytest.mark.parametrize(
    ("library", "allowed"),
    [("requests", r"vendor\.|notify\.channels"), ("urllib3", r"vendor\."), ("apscheduler", r"clockwork$"),
     ("gunicorn", r"serving$|watching\.gunicorn_log$"), ("alembic", r"foundation\.schema$"),
     ("cryptography", r"foundation\.sealing$"), ("argon2", r"accounts\.passwords$"),
     ("chinese_calendar", r"usage\.notices$")],
)  # fmt: skip
def test_a_library_with_one_task_stays_in_its_place(library: str, allowed: str) -> None:
    users = importers(library)

    assert users, f"nothing imports {library} any more"
    assert [module for module in users if not re.match(allowed, module)] == []


def test_only_the_database_module_commits() -> None:
    commits = {m for m in FILES for call in calls(m) if re.search(r"\.commit$", ast.unparse(call.func))}

    assert commits == {"foundation.database"}


def test_only_the_clock_asks_the_time_and_gives_it_to_operations() -> None:
    """What measures a duration may; a day or an instant that is stored or compared comes from the clock."""
    asking = {m for m in FILES for call in calls(m) if re.search(r"\b(datetime\.(utc)?now|date\.today)$",
                                                                 ast.unparse(call.func))}  # fmt: skip

    assert asking <= {"foundation.clock", "foundation.pages", "scheduler", "vendor.sandbox.server"}


def test_no_file_and_no_function_outgrows_a_reader() -> None:
    files_too_long = {m: n for m, path in FILES.items() if (n := len(path.read_text().splitlines())) > MOST_LINES}
    functions_too_long = [
        f"{module}.{node.name}: {lines}"
        for module in FILES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    ]

    assert files_too_long == {}
    assert functions_too_long == []


IMPORT_ALL = """
import importlib, logging, os, socket, sys, threading
done = []
def watch(event, args):
    if event in ("sqlite3.connect", "socket.connect", "socket.listen", "subprocess.Popen", "os.fork", "os.mkdir"):
        done.append((event, str(args[:2])))
    writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    if event == "open" and isinstance(args[2], int) and args[2] & writes and args[0] != os.devnull:
        done.append((event, str(args[0])))
sys.addaudithook(watch)
for module in sys.argv[1:]:
    importlib.import_module(module)
assert not done, done
assert threading.active_count() == 1, threading.enumerate()
assert logging.getLogger().handlers == [], logging.getLogger().handlers
left = [os.readlink(f"/proc/self/fd/{one}") for one in os.listdir("/proc/self/fd") if int(one) > 2
        and os.path.exists(f"/proc/self/fd/{one}")]
assert not [one for one in left if not one.startswith("/proc")], left
"""


def test_importing_every_module_changes_nothing(tmp_path: Path) -> None:
    modules = ["webapp" if module == "webapp" else f"webapp.{module}" for module in FILES]

    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *modules],
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(tmp_path)},
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_a_start_loads_nothing_that_only_some_starts_or_some_processes_need() -> None:
    loaded = "import sys, webapp.cli; print(*{name.split('.')[0] for name in sys.modules})"

    done = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "sqlalchemy" in done.stdout.split()
    assert {"alembic", "PIL", "apscheduler"}.isdisjoint(done.stdout.split())
