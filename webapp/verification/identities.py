"""The sealed half of a verification: what it holds, how it is sealed, opened and indexed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields

from sqlalchemy import select, update

from webapp.foundation.database import db, insert_rows, must_write
from webapp.foundation.sealing import Sealer
from webapp.persons import names
from webapp.vendor.contract import Derived
from webapp.verification.models import Identity, IdentityIndex, IndexKind


@dataclass(frozen=True, slots=True)
class Person:
    """Everything personal of one verification; nothing of it shows in `repr`."""

    name: str = field(repr=False)
    number: str = field(repr=False)
    reference: str = field(default="", repr=False)
    province: str = field(default="", repr=False)
    city: str = field(default="", repr=False)
    county: str = field(default="", repr=False)
    birthday: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)
    age: str = field(default="", repr=False)
    raw: str = field(default="", repr=False)
    """The vendor's answer as it came, for an admin to read when nobody expected it."""

    def answered(self, derived: Derived | None, raw: bytes) -> Person:
        """This person with what the vendor's answer adds."""
        known = asdict(self) | (asdict(derived) if derived else {})
        return Person(**known | {"raw": raw.decode("utf-8", "replace")})


def keep(verification_id: int, person: Person, sealer: Sealer) -> None:
    """Stores the sealed person and the blind indexes, in the caller's transaction."""
    insert_rows(Identity, {"verification_id": verification_id, "sealed": _seal(verification_id, person, sealer)})
    insert_rows(
        IdentityIndex,
        *(
            {"blind": blind, "verification_id": verification_id, "kind": kind}
            for kind, blind in _indexes(person, sealer)
        ),
    )


def complete(verification_id: int, derived: Derived | None, raw: bytes, sealer: Sealer) -> None:
    """Adds the vendor's answer to what is sealed, in the caller's transaction; nothing where it was purged."""
    session = must_write()
    mine = Identity.verification_id == verification_id
    sealed = session.scalar(select(Identity.sealed).where(mine))
    if sealed is not None:
        person = _open(verification_id, sealed, sealer).answered(derived, raw)
        session.execute(
            update(Identity).where(mine).values(sealed=_seal(verification_id, person, sealer)),
            execution_options={"synchronize_session": False},
        )


def open_person(verification_id: int, sealer: Sealer) -> Person | None:
    """The opened person; None where purge or erasure destroyed it. Raises `CannotOpen` under other keys."""
    row = db.session.get(Identity, verification_id, populate_existing=True)
    return None if row is None else _open(verification_id, row.sealed, sealer)


def open_people(verification_ids: Sequence[int], sealer: Sealer) -> dict[int, Person]:
    """The opened people of many verifications, by verification."""
    rows = db.session.scalars(select(Identity).where(Identity.verification_id.in_(verification_ids)))
    return {row.verification_id: _open(row.verification_id, row.sealed, sealer) for row in rows}


def person_index(name: str, number: str, sealer: Sealer) -> bytes:
    """The blind index of a whole person: by it two calls for the same one are told."""
    return sealer.index("person", f"{number}\0{name}")


def _seal(verification_id: int, person: Person, sealer: Sealer) -> bytes:
    content = {field.name: value for field in fields(person) if (value := getattr(person, field.name))}
    return sealer.seal_json(content, f"identity:{verification_id}")


def _open(verification_id: int, sealed: bytes, sealer: Sealer) -> Person:
    content = sealer.open_json(sealed, f"identity:{verification_id}")
    return Person(**{"name": "", "number": ""} | content)


def _indexes(person: Person, sealer: Sealer) -> set[tuple[IndexKind, bytes]]:
    values = [
        (IndexKind.NUMBER, person.number),
        (IndexKind.NAME, person.name),
        (IndexKind.LAST_FOUR, person.number[-4:]),
        *((IndexKind.BEGINNING, beginning) for beginning in names.beginnings(person.name)),
    ]
    if person.reference:
        values.append((IndexKind.REFERENCE, person.reference))
    return {(kind, sealer.index(kind, value)) for kind, value in values}
