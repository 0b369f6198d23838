"""What the history is measured beside: Flask-SQLAlchemy's `paginate` and Flask-Admin over the same verifications in
the clear, and a page of text in our own layout.

All is made in their favour: one table with everything that a row shows, so that nothing is joined, an index in the
order of the page and one on the number, our cache for SQLite, and for Flask-Admin neither login nor trail.
"""

from __future__ import annotations

import re
from datetime import datetime

from flask import Flask, render_template
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_babel import Babel
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.pagination import Pagination
from sqlalchemy import Index, Table, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from werkzeug.test import TestResponse

from benchmarks import export
from webapp.accounts.permissions import ALLOWED, EVERYONE
from webapp.foundation.database import RowId, UtcDateTime, db, engine_options, prepare_engine

SIZE = 50
ADMIN_URL = "/admin/record/"
PAGE = "{% extends 'layout.html' %}{% block content %}{% raw %}<<>>{% endraw %}{% endblock %}"
PAGED = """{% extends 'layout.html' %}{% block content %}<table class="table"><tbody>{% for row in page %}<tr>
<td>{{ row.created_at }}</td><td>{{ row.outcome }}</td><td>{{ row.name }} {{ row.number }}</td><td>{{ row.billed }}</td>
<td>{{ row.purpose }}</td><td>{{ row.operator }} {{ row.department }}</td><td>{{ row.source }}</td></tr>{% endfor %}
</tbody></table>{{ page.total }}{% for one in page.iter_pages() %} {{ one }}{% endfor %}{% endblock %}"""


class PeerBase(DeclarativeBase):
    """Apart from the product's: no migration knows it."""


class Record(PeerBase):
    """A verification with its person in the clear, as whoever seals nothing would keep it."""

    __tablename__ = "bench_record"
    __table_args__ = (Index("ix_bench_record_newest", "created_at", "id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str]
    billed: Mapped[str]
    cause: Mapped[str | None]
    purpose: Mapped[str]
    operator: Mapped[str]
    department: Mapped[str | None]
    source: Mapped[str]
    request_id: Mapped[str]
    name: Mapped[str]
    number: Mapped[str] = mapped_column(index=True)


class RecordView(ModelView):  # type: ignore[misc]
    """Flask-Admin's list, newest first, with its search over ID numbers and its export."""

    page_size = SIZE
    column_default_sort = ("created_at", True)
    column_searchable_list = ("number",)
    column_list = tuple(column.name for column in Record.__table__.columns)
    can_export = True


def fill() -> None:
    """Writes every verification once more in the clear, from the sealed ones, into the database of the context."""
    export.fill_plain()
    table = Record.__table__
    assert isinstance(table, Table)
    with db.engine.connect() as connection:
        connection.execution_options(writes=True)
        table.create(connection)
        connection.execute(insert(table).from_select(list(table.c.keys()), export.JOINED.order_by(None)))
        connection.commit()
    export.settle(db.engine)


def flask_admin(ours: Flask) -> Flask:
    """Flask-Admin over the records of our database, in an application of its own."""
    app = Flask("bench")
    url = ours.config["SQLALCHEMY_DATABASE_URI"]
    app.config.update(
        SECRET_KEY="bench", SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url)
    )  # fmt: skip
    plain = SQLAlchemy(app)
    with app.app_context():
        prepare_engine(plain.engine)
    Babel(app)  # where flask-babel is installed, Flask-Admin wants it set up
    Admin(app).add_view(RecordView(Record, plain.session))
    return app


def add_pages(app: Flask) -> None:
    """The yardsticks among our own pages, before the first request: /bench/paginate, and /bench/static after
    `freeze`."""
    paged = app.jinja_env.from_string(PAGED)
    app.add_url_rule("/bench/paginate", "bench_paginate", lambda: render_template(paged, page=_newest()))
    app.add_url_rule("/bench/static", "bench_static", lambda: render_template(app.extensions["bench_static"]))
    ALLOWED["bench_paginate"] = ALLOWED["bench_static"] = EVERYONE


def freeze(app: Flask, page: TestResponse) -> None:
    """Makes /bench/static of the content of a page: its very text, in the layout that every page has."""
    found = re.search(r'<main id="main"[^>]*>(.*)</main>', page.text, re.DOTALL)
    assert found is not None
    assert found[1].count("data-verification") == SIZE
    app.extensions["bench_static"] = app.jinja_env.from_string(PAGE.replace("<<>>", found[1]))


def _newest() -> Pagination:
    newest = select(Record).order_by(Record.created_at.desc(), Record.id.desc())
    return db.paginate(newest, page=1, per_page=SIZE)


def listed(answer: TestResponse, least: int = SIZE) -> None:
    """Sees that Flask-Admin lists so many records."""
    if answer.status_code != 200 or answer.text.count('class="col-number"') < least:
        raise RuntimeError(f"Flask-Admin answered {answer.status_code}, without the records")
