"""The sealed half of a verification: what it holds, how it is sealed, opened and indexed."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields

from sqlalchemy import bindparam, delete, select, update

from webapp.foundation.database import db, insert_rows, must_write
from webapp.foundation.sealing import CannotOpen, Sealer
from webapp.persons import names
from webapp.persons.places import plain_city, plain_province
from webapp.vendor.contract import Derived
from webapp.verification.models import Identity, IdentityIndex, IndexKind

_NAME_AND_NUMBER = re.compile(rb'\{"name":"([^"\\]*)","number":"([^"\\]*)"[,}]')
"""How sealed JSON begins, unless a character in it had to be escaped."""


# Put together once, for every call runs them. Locked: keys may be rotated meanwhile, and all indexes of an identity are
# under one key.
_SEALED = (
    select(Identity.sealed, Identity.index_key).where(Identity.verification_id == bindparam("of")).with_for_update()
)
_SEAL_ANEW = (
    update(Identity).where(Identity.verification_id == bindparam("of"))
    .values(sealed=bindparam("anew"), index_key=bindparam("under"))
    .execution_options(synchronize_session=False)
)  # fmt: skip


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
    sealed = _seal(verification_id, person, sealer)
    insert_rows(Identity, {"verification_id": verification_id, "sealed": sealed, "index_key": sealer.indexing})
    _index(verification_id, found_by(person), sealer)


def complete(verification_id: int, derived: Derived | None, raw: bytes, sealer: Sealer) -> None:
    """Adds the vendor's answer to what is sealed, in the caller's transaction; nothing where it was purged."""
    session = must_write()
    row = session.execute(_SEALED, {"of": verification_id}).one_or_none()
    if row is not None:
        before = opened(verification_id, row.sealed, sealer)
        person = before.answered(derived, raw)
        anew = _seal(verification_id, person, sealer)
        session.execute(_SEAL_ANEW, {"of": verification_id, "anew": anew, "under": sealer.indexing})
        if row.index_key == sealer.indexing:
            _index(verification_id, [found for found in places(person) if found not in places(before)], sealer)
        else:
            index_anew(verification_id, person, sealer)


def index_anew(verification_id: int, person: Person, sealer: Sealer) -> None:
    """Puts all blind indexes of an identity under the key that indexes, in the caller's transaction."""
    mine = IdentityIndex.verification_id == verification_id
    must_write().execute(delete(IdentityIndex).where(mine), execution_options={"synchronize_session": False})
    _index(verification_id, found_by(person), sealer)


def open_person(verification_id: int, sealer: Sealer) -> Person | None:
    """The opened person; None where purge or erasure destroyed it. Raises `CannotOpen` under other keys."""
    row = db.session.get(Identity, verification_id, populate_existing=True)
    return None if row is None else opened(verification_id, row.sealed, sealer)


def open_people(verification_ids: Sequence[int], sealer: Sealer) -> dict[int, Person]:
    """The opened people of many verifications, by verification."""
    rows = db.session.scalars(select(Identity).where(Identity.verification_id.in_(verification_ids)))
    return {row.verification_id: opened(row.verification_id, row.sealed, sealer) for row in rows}


def readable_people(verification_ids: Sequence[int], sealer: Sealer) -> dict[int, Person]:
    """As `open_people`, without those that do not open."""
    people = {}
    rows = select(Identity.verification_id, Identity.sealed).where(Identity.verification_id.in_(verification_ids))
    for number, sealed in db.session.execute(rows).all():
        with suppress(CannotOpen):
            people[number] = opened(number, sealed, sealer)
    return people


def with_number(number: str, sealer: Sealer) -> Sequence[int]:
    """The verifications of this number whose identity still stands, oldest first."""
    same = IdentityIndex.blind.in_(sealer.indexes(IndexKind.NUMBER, number))
    found = select(IdentityIndex.verification_id).where(same).distinct()
    return db.session.scalars(found.order_by(IdentityIndex.verification_id)).all()


def lock(verification_ids: Collection[int]) -> set[int]:
    """Which of these identities stand, kept as they are until the caller's transaction ends. Everybody who destroys
    identities, or hangs something on one, locks it first."""
    mine = select(Identity.verification_id).where(Identity.verification_id.in_(verification_ids))
    return set(must_write().scalars(mine.order_by(Identity.verification_id).with_for_update()))


def destroy(verification_ids: Collection[int]) -> None:
    """Destroys locked identities with all that finds or hangs on them (references of reuses and salts of receipts go by
    the database's own rule), in the caller's transaction. The facts stand."""
    session = must_write()
    for model in (IdentityIndex, Identity):
        rows = delete(model).where(model.verification_id.in_(verification_ids))
        session.execute(rows, execution_options={"synchronize_session": False})


def person_index(name: str, number: str, sealer: Sealer) -> bytes:
    """The blind index of a whole person: by it two calls for the same one are told."""
    return sealer.index("person", f"{number}\0{name}")


def person_indexes(name: str, number: str, sealer: Sealer) -> list[bytes]:
    """What to look for: as `person_index`, under each live index key."""
    return sealer.indexes("person", f"{number}\0{name}")


def found_by(person: Person) -> list[tuple[IndexKind, str]]:
    """What a verification of this person is found by."""
    values = [
        (IndexKind.NUMBER, person.number),
        (IndexKind.NAME, person.name),
        (IndexKind.LAST_FOUR, person.number[-4:]),
        *((IndexKind.BEGINNING, beginning) for beginning in names.beginnings(person.name)),
    ]
    if person.reference:
        values.append((IndexKind.REFERENCE, person.reference))
    return values + places(person)


def places(person: Person) -> list[tuple[IndexKind, str]]:
    """Where the vendor said that the number comes from; a city belongs to its province."""
    province, city = place_value(person.province), place_value(person.province, person.city)
    return [(IndexKind.PROVINCE, province)] * bool(person.province) + [(IndexKind.CITY, city)] * bool(person.city)


def place_value(province: str, city: str = "") -> str:
    """What the blind index of a province, or of a city in it, is made of."""
    return plain_province(province) + (f"\0{plain_city(city)}" if city else "")


def _seal(verification_id: int, person: Person, sealer: Sealer) -> bytes:
    content = {field.name: value for field in fields(person) if (value := getattr(person, field.name))}
    return sealer.seal_json(content, f"identity:{verification_id}")


def opened(verification_id: int, sealed: bytes, sealer: Sealer) -> Person:
    """The person that an `Identity` row seals. Raises `CannotOpen` under other keys."""
    return Person(**{"name": "", "number": ""} | sealer.open_json(sealed, f"identity:{verification_id}"))


def name_and_number(verification_id: int, sealed: bytes, sealer: Sealer) -> tuple[str, str]:
    """As `opened`, for many rows at once: only these two, which stand first. Raises `CannotOpen` under other keys."""
    content = sealer.open(sealed, f"identity:{verification_id}")
    first = _NAME_AND_NUMBER.match(content)
    return (first[1].decode(), first[2].decode()) if first is not None else _both(content)


def names_and_numbers(rows: Iterable[tuple[int, bytes]], sealer: Sealer) -> Iterator[tuple[str, str]]:
    """The same of many rows: verification and what its `Identity` row seals."""
    for content in sealer.open_rows(rows, "identity"):
        first = _NAME_AND_NUMBER.match(content)
        if first is not None:
            name, number = first.groups()
            yield name.decode(), number.decode()
        else:
            yield _both(content)


def _both(content: bytes) -> tuple[str, str]:
    person = Person(**{"name": "", "number": ""} | json.loads(content))
    return person.name, person.number


def blinds_of(verification_id: int, sealed: bytes, sealer: Sealer) -> set[tuple[IndexKind, bytes]]:
    """All blind indexes of what an `Identity` row seals. Raises `CannotOpen` under other keys."""
    return _blinds(found_by(opened(verification_id, sealed, sealer)), sealer)


def _blinds(found: list[tuple[IndexKind, str]], sealer: Sealer) -> set[tuple[IndexKind, bytes]]:
    return {(kind, sealer.index(kind, value)) for kind, value in found}


def _index(verification_id: int, found: list[tuple[IndexKind, str]], sealer: Sealer) -> None:
    blinds = _blinds(found, sealer)
    if blinds:
        rows = ({"blind": blind, "verification_id": verification_id, "kind": kind} for kind, blind in blinds)
        insert_rows(IdentityIndex, *rows)
