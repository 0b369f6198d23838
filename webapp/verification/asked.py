"""Pure: what an operator asks."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SentForm:
    """A form that was sent: its one-time number, and what stood in it as a keyed digest."""

    nonce: str
    content: bytes = field(repr=False)
    alike: tuple[bytes, ...] = field(default=(), repr=False)
    """The same under older keys: while keys are rotated the form may have been sent under one of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an operator asks: name and number normalised and locally checked already.

    `declaration_id`: the shift declaration that the consent is taken from. `reuse`: a recent result may stand for a
    call. `form`: the one-time form it came with, None where it came with none.
    """

    name: str = field(repr=False)
    number: str = field(repr=False)
    purpose_id: int
    consent: bool
    reference: str = field(default="", repr=False)
    guardian_consent: bool = False
    declaration_id: int | None = None
    reuse: bool = False
    form: SentForm | None = None
