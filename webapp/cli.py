"""The `yuliang` command. Exit 0: done; 1: refused or something is wrong (said on standard error); 2: wrong usage."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable

from flask import Flask
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from webapp.accounts import operations as accounts
from webapp.accounts import passwords
from webapp.accounts.models import Role
from webapp.accounts.operations import Profile
from webapp.audit import command as audit
from webapp.audit.trail import SYSTEM
from webapp.configuration import key_command as keys
from webapp.configuration import kind, rotation
from webapp.demo import CannotFill
from webapp.demo import command as demo
from webapp.foundation import schema
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance
from webapp.foundation.sealing import CannotOpen
from webapp.foundation.values import mail_address
from webapp.notify import sending
from webapp.notify.channels import mail
from webapp.notify.messages import Verdict
from webapp.opening import NotReady, let_go, open_known, open_new_or_known
from webapp.reconciliation import command as reconciliation
from webapp.reminders import health, texts, trial
from webapp.retention import command as retention
from webapp.scheduler import Worker, holder_name
from webapp.serving import CannotServe, Supervisor, check_port
from webapp.settings import Settings, SettingsError, read_settings
from webapp.vendor.sandbox import command as sandbox
from webapp.verification import rollups
from webapp.watching import health as watching

Command = Callable[[argparse.Namespace], int]
LONGEST_NAME = 80


class Refused(Exception):
    """The command cannot be done; the message says why and what to do."""


REFUSALS = (SettingsError, CannotServe, Refused, NotReady, schema.SchemaNewer, schema.CannotBackUp, kind.WrongKind,
            CannotOpen, CannotFill, audit.WrongHead,
            rotation.CannotRotate)  # fmt: skip
"""What ends a command with one line."""


def main(argv: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    args = _parser().parse_args(argv)
    run: Command = args.run
    try:
        return run(args)
    except REFUSALS as error:
        print(f"yuliang: {error}", file=sys.stderr)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        print(f"yuliang: the database cannot be used: {reason}. {_remedy()}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever reads has enough, as `head` does; nothing may be flushed into it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 1


def _remedy() -> str:
    """What to do about a database that cannot be used."""
    settings = read_settings(os.environ)
    if settings.database_url:
        return "Check YULIANG_DATABASE_URL."
    return f"Look after {settings.instance / 'yuliang.db'}: its folder and disk, or put a copy of it back in its place."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("yuliang", description="Usage, quota and reminders of a prepaid verification API.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    add("serve", _serve, "migrate, then serve the pages with one worker (and the sandbox)")
    add("migrate", _migrate, "bring the database's schema up to date")
    add("worker", _worker, "run the background jobs; any number of workers may run")
    sandbox.configure(add("sandbox", sandbox.run, "the stand-in for the vendor"))
    user = add("add-user", _add_user, "make a user")
    user.add_argument("email", metavar="EMAIL")
    user.add_argument("--role", required=True, choices=[role.value for role in Role])
    user.add_argument("--name", default="", help="shown beside what the user does (default: from the mail address)")
    user.add_argument("--department", default="")
    user.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    add("go-live", _go_live, "clear the practice data, once the vendor's real address is set")
    mail = add("send-test-mail", _send_test_mail, "send a test mail and show what the server says")
    mail.add_argument("email", metavar="EMAIL")
    add("rotate-keys", _rotate_keys, "seal and index everything under new keys, while the product runs")
    add("health", _health, "say what keeps reminders from reaching anyone, and the audit trail from being sealed")
    add("rebuild-rollups", _rebuild_rollups, "count all calls anew for the charts")
    reconcile = add("reconcile", _reconcile, "compare the books with the vendor's own counter")
    reconcile.add_argument("--used", type=int, metavar="N", help="what the console shows as used, with --total")
    reconcile.add_argument("--total", type=int, metavar="N", help="what the console shows as the total")
    add("check", _check, "recount everything and name every difference")
    add("purge", _purge, "destroy at once what is older than it may be, instead of tonight")
    trail = add("verify-audit", _verify_audit, "prove the audit trail by its seals and name every fault")
    trail.add_argument("--expect-head", metavar="HEX", help="a head of any former day: it must still be in the chain")
    demo.configure(add("demo-data", _demo_data, "fill an empty practice instance with a believable year of calls"))
    return parser


def _app() -> tuple[Flask, Settings]:
    app = open_known(os.environ)
    return app, _settings_of(app)


def _settings_of(app: Flask) -> Settings:
    with app.app_context():
        return this_instance().settings


def _serve(_args: argparse.Namespace) -> int:
    check_port(read_settings(os.environ))
    app, backup = open_new_or_known(os.environ)
    _tell_opened(app, backup)
    settings = _settings_of(app)
    with app.test_request_context():  # a fault of the first admin's password is said in the settings' language
        first_admin = _first_admin(settings)
    let_go(app)
    supervisor = Supervisor(app, settings)
    _welcome(settings, supervisor.sandbox_url, first_admin)
    return supervisor.run()


def _tell_opened(app: Flask, backup: str | None) -> None:
    if backup:
        print(f"The database was migrated; a copy from before lies in {backup}.")
    with app.app_context():
        generated = this_instance().keys.generated
    for path in generated:
        print(f"New key: {path}. Back it up apart from the database: without it sealed data stays sealed.")


def _first_admin(settings: Settings) -> str:
    """Makes the first admin that the settings name, or says how to make one; empty where one can log in."""
    if accounts.has_users():
        return ""
    if settings.admin_email and settings.admin_password:
        fault = passwords.fault(settings.admin_password, settings.admin_email)
        if fault:
            raise SettingsError("YULIANG_ADMIN_PASSWORD", fault, "a-long-password")
        with transaction():
            profile = Profile("", settings.admin_email, Role.ADMIN)
            accounts.create_user(profile, settings.admin_password, SYSTEM, utc_now())
        return f"First admin: {settings.admin_email}, with the password of the settings."
    code = accounts.first_admin_code(this_instance().sealer, utc_now())
    return f"First admin: make one at {settings.address}/first-run with the one-time code {code}"


def _welcome(settings: Settings, sandbox_url: str | None, first_admin: str) -> None:
    print(f"\n  Yuliang 余量: open {settings.address}")
    if first_admin:
        print(f"  {first_admin}")
    if sandbox_url:
        print(f"  The built-in sandbox stands in for the vendor: {sandbox_url}")
        print("  People to try: `.venv/bin/yuliang sandbox --people`, or the page Sandbox.")
    else:
        print(f"  Calls go to {settings.vendor_url}")
    print("  Ctrl-C stops everything.\n", flush=True)


def _migrate(_args: argparse.Namespace) -> int:
    app, backup = open_new_or_known(os.environ)
    _tell_opened(app, backup)
    let_go(app)
    print("The schema is up to date.")
    return 0


def _worker(_args: argparse.Namespace) -> int:
    app, _settings = _app()
    Worker(app).run()
    return 0


def _add_user(args: argparse.Namespace) -> int:
    app, _settings = _app()
    profile, password = _profile(args), _password(args)
    with app.app_context(), app.test_request_context(), force_locale("en"):
        fault = passwords.fault(password, profile.email)
        if fault:
            raise Refused(fault)
        try:
            with transaction():
                accounts.create_user(profile, password, SYSTEM, utc_now())
        except accounts.EmailTaken as error:
            raise Refused(f"{args.email} has a user already.") from error
    print(f"{args.email} can log in as {args.role}.")
    return 0


def _profile(args: argparse.Namespace) -> Profile:
    try:
        email = mail_address(args.email.strip())
    except ValueError as error:
        raise Refused(f"EMAIL {error}") from None
    for option, text in (("EMAIL", email), ("--name", args.name), ("--department", args.department)):
        if not text.isprintable() or (len(text) > LONGEST_NAME and option != "EMAIL"):
            raise Refused(f"{option} must be one line of at most {LONGEST_NAME} characters")
    return Profile(args.name, email, Role(args.role), args.department)


def _password(args: argparse.Namespace) -> str:
    if not args.password_stdin:
        if not sys.stdin.isatty():
            raise Refused("there is no terminal to ask for the password: add --password-stdin and write it there")
        return getpass.getpass("Password: ")
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise Refused("the password on standard input is no UTF-8 text") from None


def _go_live(_args: argparse.Namespace) -> int:
    app = open_known(os.environ, agreeing=False)
    with app.app_context():
        switched_off = kind.go_live(this_instance(), utc_now())
    if switched_off:
        print(f"Users of the made-up year are switched off: {', '.join(switched_off)}.")
    print("The practice data is gone; users and settings stand. Start again with `yuliang serve`.")
    return 0


def _send_test_mail(args: argparse.Namespace) -> int:
    app, _settings = _app()
    with app.app_context(), force_locale("en"):
        try:
            reply = sending.send_now(trial.draft(mail_address(args.email), "en"))
        except sending.NoMailServer:
            raise Refused("no mail server is set, or no sender: set YULIANG_SMTP_URL and YULIANG_MAIL_FROM") from None
        except mail.Unreadable:
            raise Refused(str(texts.UNREADABLE)) from None
        except ValueError as error:
            raise Refused(f"{args.email} {error}") from error
        taken = reply.verdict == Verdict.ACCEPTED
        print(trial.reply_text(reply), file=sys.stdout if taken else sys.stderr)
    return 0 if taken else 1


def _rotate_keys(_args: argparse.Namespace) -> int:
    app, _settings = _app()
    return keys.run(app, holder_name(), print)


def _health(_args: argparse.Namespace) -> int:
    app, _settings = _app()
    with app.app_context(), force_locale("en"):
        now = utc_now()
        faults = [*watching.faults(this_instance(), now), *(one.text for one in health.faults(this_instance(), now))]
    for fault in faults:
        print(fault, file=sys.stderr)
    print(
        f"{len(faults)} fault{'s' if len(faults) > 1 else ''}."
        if faults
        else "Reminders are watched, and their mails arrive; the audit trail is sealed."
    )
    return 1 if faults else 0


def _rebuild_rollups(_args: argparse.Namespace) -> int:
    app, settings = _app()
    with app.app_context():
        counted = rollups.rebuild(settings.zone)
    print(f"{counted} calls were counted anew, in days of {settings.timezone}.")
    return 0


def _reconcile(args: argparse.Namespace) -> int:
    app, _settings = _app()
    with app.app_context(), app.test_request_context(), force_locale("en"):
        try:
            told = reconciliation.reconcile(app.extensions["meter"], args.used, args.total, this_instance(), utc_now())
        except reconciliation.NothingToCompare as error:
            raise Refused(str(error)) from error
    print("\n".join(told.lines), file=sys.stdout if told.agreed else sys.stderr)
    for fault in told.faults:
        print(fault, file=sys.stderr)
    return 0 if told.agreed and not told.faults else 1


def _demo_data(args: argparse.Namespace) -> int:
    app, _settings = _app()
    with app.app_context():
        print(demo.run(args, this_instance(), utc_now()))
    return 0


def _check(_args: argparse.Namespace) -> int:
    from webapp.checking import check_everything  # a room of its own, which no other command and no page needs

    app, settings = _app()
    with app.app_context(), app.test_request_context(), force_locale(settings.locale):  # whoever reads it is an admin
        differences = check_everything(locale=settings.locale)
        agree = _("Lots, ledger, verifications and counters agree.")
        told = ngettext("%(num)s difference.", "%(num)s differences.", len(differences)) if differences else agree
    for one in differences:
        print(one, file=sys.stderr)
    print(told)
    return 1 if differences else 0


def _purge(_args: argparse.Namespace) -> int:
    app, _settings = _app()
    with app.app_context():
        done, faults = retention.purge(this_instance(), utc_now)
    print("\n".join(done))
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _verify_audit(args: argparse.Namespace) -> int:
    app, _settings = _app()
    with app.app_context():
        keys = this_instance().keys
        verdict = audit.verify_trail(keys, args.expect_head, lambda fault: print(fault, file=sys.stderr))
    print("\n".join(audit.told(verdict)))
    return 1 if verdict.faults else 0


if __name__ == "__main__":
    sys.exit(main())
