"""What changes accounts: making and changing users, logging in and its throttle, the first admin."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, delete, func, select

from webapp.accounts import passwords, sessions
from webapp.accounts.models import Department, LoginFailure, Role, User
from webapp.audit.trail import Action, Who, append
from webapp.foundation import runtime
from webapp.foundation.database import db, must_write, transaction
from webapp.foundation.sealing import Sealer
from webapp.foundation.throttling import network, wait

FREE_FAILURES = 5
"""Failed log-ins in `WINDOW` before the next try must wait."""
ACCOUNT_FAILURES = 30
"""As `FREE_FAILURES`, for one account from anywhere."""
ADDRESS_FAILURES = 50
"""As `FREE_FAILURES`, for one network whatever the account."""
WINDOW = timedelta(minutes=15)
FIRST_RUN_CODE = "first_run_code"


class EmailTaken(Exception):
    """Another user has this mail address."""


class TooManyTries(Exception):
    """Too many wrong passwords: `wait` seconds must pass before the next one is heard."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"wait {wait} s")
        self.wait = wait


class LastAdmin(Exception):
    """The change would leave no active admin."""


class Profile(NamedTuple):
    """What an admin says about a user."""

    name: str
    email: str
    role: Role
    department: str = ""
    active: bool = True


class LoginResult(NamedTuple):
    """Either the user, or how many seconds to wait before the next try (0: just wrong)."""

    user: User | None
    wait: int = 0


def has_users() -> bool:
    """Whether anyone can log in yet."""
    return db.session.scalar(select(User.id).where(User.password_hash != passwords.NONE).limit(1)) is not None


def create_user(profile: Profile, password: str | None, who: Who, now: datetime) -> User:
    """Stores a user with a hashed password and audits it, in the caller's transaction. None: nobody can log in as this
    user until an admin gives a password. Raises `EmailTaken`.
    """
    session = must_write()
    email = profile.email.strip().lower()
    if session.scalar(select(User.id).where(User.email == email)) is not None:
        raise EmailTaken
    user = User(
        email=email, name=profile.name.strip() or email.split("@")[0], role=profile.role,
        department_id=_department(profile.department), active=profile.active, created_at=now, session_epoch=0,
        password_hash=passwords.NONE if password is None else passwords.hash_password(password),
    )  # fmt: skip
    session.add(user)
    session.flush()
    append(who, Action.USER_CREATED, now, on=("user", user.id), role=profile.role)
    return user


def change_user(user_id: int, profile: Profile, password: str, who: Who, now: datetime) -> User | None:
    """Changes a user, ending their sessions where role, activity or password change. In the caller's transaction.

    Raises `EmailTaken`, `LastAdmin`; None where there is no such user.
    """
    session = must_write()
    user = session.get(User, user_id)
    if user is None:
        return None
    email = profile.email.strip().lower()
    if session.scalar(select(User.id).where(User.email == email, User.id != user_id)) is not None:
        raise EmailTaken
    if user.role == Role.ADMIN and user.active and (profile.role != Role.ADMIN or not profile.active):
        _keep_an_admin(user_id)
    before = user.role
    changed = [
        field
        for field, new in (("name", profile.name.strip()), ("email", email), ("role", profile.role),
                           ("department_id", _department(profile.department)), ("active", profile.active))
        if getattr(user, field) != new and not setattr(user, field, new)  # type: ignore[func-returns-value]
    ]  # fmt: skip
    if password:
        user.password_hash = passwords.hash_password(password)
        changed.append("password")
    if {"role", "active", "password"} & set(changed):
        user.session_epoch += 1
    permitted: dict[str, Any] = {"role_before": before, "role": user.role} if "role" in changed else {}
    permitted |= {"active": user.active} if "active" in changed else {}
    append(who, Action.USER_CHANGED, now, on=("user", user_id), changed=" ".join(changed), **permitted)
    return user


def change_own_password(user: User, current: str, new: str, who: Who, sealer: Sealer, now: datetime) -> bool:
    """Replaces one's own password and ends all other sessions; False where `current` is wrong.

    Wrong ones count as failed log-ins: raises `TooManyTries` before anything is compared.
    """
    account = sealer.index("login", user.email)
    if seconds := _wait(sealer.indexes("login", user.email, fleeting=True), who.address, now):
        raise TooManyTries(seconds)
    if not passwords.matches(user.password_hash, current):
        with transaction() as session:
            session.add(LoginFailure(at=now, account=account, address=network(who.address)))
            append(who, Action.PASSWORD_CHANGED, now, on=("user", user.id), success=False)
        return False
    hashed = passwords.hash_password(new)
    with transaction() as session:
        mine = session.get_one(User, user.id)
        mine.password_hash = hashed
        mine.session_epoch += 1
        append(who, Action.PASSWORD_CHANGED, now, on=("user", user.id))
    return True


def log_in(email: str, password: str, who: Who, sealer: Sealer, now: datetime) -> LoginResult:
    """Checks mail address and password and records success or failure."""
    heard = hear(email, password, who, sealer, now, Action.LOGIN_FAILED)
    if heard.user is None:
        return heard
    with transaction():
        return LoginResult(let_in(heard.user.id, who, Action.LOGIN, sealer, now))


def hear(email: str, password: str, who: Who, sealer: Sealer, now: datetime, failed: Action) -> LoginResult:
    """Checks mail address and password, throttled before anything is hashed; records a failure as `failed`.

    Success changes nothing yet: `let_in` does.
    """
    email = email.strip().lower()
    account = sealer.index("login", email)
    seconds = _wait(sealer.indexes("login", email, fleeting=True), who.address, now)
    if seconds:
        return LoginResult(None, seconds)
    user = db.session.scalar(select(User).where(User.email == email))
    password_hash = user.password_hash if user and user.active else None
    db.session.rollback()
    if passwords.matches(password_hash, password) and user is not None:
        return LoginResult(user)
    with transaction() as session:
        session.add(LoginFailure(at=now, account=account, address=network(who.address)))
        append(who, failed, now, on=("user", user.id if user else None), success=False)
    return LoginResult(None)


def let_in(user_id: int, who: Who, action: Action, sealer: Sealer, now: datetime) -> User:
    """Forgets failures of one whose password was right, and records `action`, in the caller's transaction."""
    session = must_write()
    user = session.get_one(User, user_id)
    session.execute(
        delete(LoginFailure).where(LoginFailure.account.in_(sealer.indexes("login", user.email, fleeting=True)))
    )
    user.last_seen_at = now
    append(Who(user.id, user.name, who.address, who.request_id), action, now, on=("user", user.id))
    return user


def seen(user_id: int, now: datetime) -> None:
    """Remembers that a user is about; callers ask at most once a minute."""
    with transaction() as session:
        session.get_one(User, user_id).last_seen_at = now


def prefer(user_id: int, now: datetime, *, locale: str | None, theme: str | None) -> None:
    """Stores a user's language and theme."""
    with transaction() as session:
        user = session.get_one(User, user_id)
        user.locale = locale or user.locale
        user.theme = theme or user.theme


def forget_failures(now: datetime) -> bool:
    """Drops failed log-ins that no throttle counts any more, and outlived sessions; False: nothing is left to do."""
    with transaction() as session:
        sessions.forget_outlived(now)
        session.execute(delete(LoginFailure).where(LoginFailure.at < now - 2 * WINDOW))
    return False


def first_admin_code(sealer: Sealer, now: datetime) -> str:
    """The one-time code for the first-run page, made when nobody can log in yet; the same one on every start."""
    known = runtime.stored(FIRST_RUN_CODE, sealer)
    if known is not None:
        return known
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    code = "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(3))
    with transaction():
        runtime.store(FIRST_RUN_CODE, code, sealer, now)
    return code


def make_first_admin(
    code: str, profile: Profile, password: str, who: Who, sealer: Sealer, now: datetime
) -> User | None:
    """The first admin, by the one-time code, which is then spent; None where the code is wrong or used.

    Wrong codes count as failed log-ins: raises `TooManyTries` before anything is compared.
    """
    if seconds := _wait(sealer.indexes("login", FIRST_RUN_CODE, fleeting=True), who.address, now):
        raise TooManyTries(seconds)
    with transaction() as session:
        known = runtime.stored(FIRST_RUN_CODE, sealer)
        right = known is not None and hmac.compare_digest(code.strip().upper().encode(), known.encode())
        # Of two who send the right code at once, the one who clears it makes the admin.
        if not right or has_users() or not runtime.clear(FIRST_RUN_CODE):
            account = sealer.index("login", FIRST_RUN_CODE)
            session.add(LoginFailure(at=now, account=account, address=network(who.address)))
            append(who, Action.LOGIN_FAILED, now, success=False, first_run=True)
            return None
        return create_user(profile, password, who, now)


def _department(name: str) -> int | None:
    """The department called `name`, made where it is new."""
    name = name.strip()
    if not name:
        return None
    session = must_write()
    known = session.scalar(select(Department).where(Department.name == name))
    if known is None:
        known = Department(name=name)
        session.add(known)
        session.flush()
    return known.id


def _keep_an_admin(user_id: int) -> None:
    """Raises `LastAdmin` where no other is active. Locks all admins: two who demote each other come one by one."""
    able = User.role == Role.ADMIN, User.active, User.password_hash != passwords.NONE
    admins = select(User.id).where(*able).order_by(User.id).with_for_update()
    if set(must_write().scalars(admins)) <= {user_id}:
        raise LastAdmin


def _wait(account: list[bytes], address: str, now: datetime) -> int:
    """Seconds until another try is heard. Each failure past the free ones doubles the wait, up to the window.

    Counted for the account from this network, so that a stranger elsewhere cannot lock its owner out; with higher
    limits also for the account from anywhere and for the network whatever the account.
    """
    by_account, by_network = LoginFailure.account.in_(account), LoginFailure.address == network(address)
    limits = (
        (and_(by_account, by_network), FREE_FAILURES),
        (by_account, ACCOUNT_FAILURES),
        (by_network, ADDRESS_FAILURES),
    )
    waits = [0]
    for condition, free in limits:
        query = select(func.count(), func.max(LoginFailure.at)).where(condition, LoginFailure.at > now - WINDOW)
        failures, last = db.session.execute(query).one()
        waits.append(wait(failures, last, free, WINDOW, now))
    return max(waits)
