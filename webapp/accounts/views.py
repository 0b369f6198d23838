"""Logging in and out, the first admin, one's own password, and the admins' page of users."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.accounts import access, operations, queries
from webapp.accounts.forms import ROLES, EditUserForm, FirstRunForm, LoginForm, NewUserForm, PasswordForm
from webapp.accounts.models import Role
from webapp.accounts.permissions import ALLOWED
from webapp.accounts.texts import ACTIONS
from webapp.audit.actor import who
from webapp.foundation.clock import utc_now
from webapp.foundation.database import transaction
from webapp.foundation.instance import this_instance

bp = Blueprint("accounts", __name__)

Page = str | tuple[str, int] | tuple[str, int, dict[str, str]] | Response


@bp.route("/login", methods=["GET", "POST"])
def login() -> Page:
    """Mail address and password; says how long to wait after too many failures. Also unlocks a locked desk."""
    if not operations.has_users():
        return redirect(url_for("accounts.first_run"), 303)
    locked, target = access.locked_user(), request.args.get("next")
    form = LoginForm(data={"email": locked.email} if locked else None)
    shown = {"form": form, "locked": locked, "onward": access.landing(locked, target) if locked else None}
    if not form.validate_on_submit():
        return render_template("accounts/login.html", **shown), 422 if request.method == "POST" else 200
    result = access.come_in(form.email.data or "", form.password.data or "")
    if result.user is None:
        if not result.wait:
            form.password.errors = [_("Mail address or password is wrong.")]
        page = render_template("accounts/login.html", **shown, wait=result.wait)
        return (page, 429, {"Retry-After": str(result.wait)}) if result.wait else (page, 401)
    return redirect(access.landing(result.user, target), 303)


@bp.route("/first-run", methods=["GET", "POST"])
def first_run() -> Page:
    """Makes the first admin; gone for ever once anyone can log in."""
    if operations.has_users():
        abort(404)
    form = FirstRunForm()
    if not form.validate_on_submit():
        status = 422 if request.method == "POST" else 200
        return render_template("accounts/first_run.html", form=form), status
    instance = this_instance()
    code, password = form.code.data or "", form.password.data or ""
    try:
        user = operations.make_first_admin(code, form.profile(), password, who(), instance.sealer, utc_now())
    except operations.TooManyTries as tries:
        form.code.errors = [_("Too many wrong tries. Wait %(seconds)s seconds.", seconds=tries.wait)]
        return render_template("accounts/first_run.html", form=form), 429, {"Retry-After": str(tries.wait)}
    if user is None:
        form.code.errors = [_("This code is not the one printed at start.")]
        return render_template("accounts/first_run.html", form=form), 422
    access.start_session(user)
    return redirect(url_for("dashboard.index"), 303)


@bp.post("/logout")
def logout() -> Response:
    """Ends the session."""
    access.end_session()
    return redirect(url_for("accounts.login"), 303)


@bp.route("/profile", methods=["GET", "POST"])
def profile() -> Page:
    """One's own password."""
    form = PasswordForm()
    if not form.validate_on_submit():
        status = 422 if request.method == "POST" else 200
        return render_template("accounts/profile.html", form=form), status
    user = current_user._get_current_object()
    current, new = form.current_password.data or "", form.new_password.data or ""
    try:
        if not operations.change_own_password(user, current, new, who(), this_instance().sealer, utc_now()):
            form.current_password.errors = [_("This is not your present password.")]
            return render_template("accounts/profile.html", form=form), 422
    except operations.TooManyTries as tries:
        form.current_password.errors = [_("Too many wrong tries. Wait %(seconds)s seconds.", seconds=tries.wait)]
        return render_template("accounts/profile.html", form=form), 429, {"Retry-After": str(tries.wait)}
    access.start_session(queries.user(user.id) or abort(404))
    flash(_("Your password was changed; your other sessions were ended."), "success")
    return redirect(url_for("accounts.profile"), 303)


@bp.get("/users")
def users() -> Page:
    """Everyone who can log in."""
    labels = dict(ROLES)
    rows = [
        {"id": user.id, "name": user.name, "email": user.email, "role": user.role, "role_label": labels[user.role],
         "department": user.department.name if user.department else "", "active": user.active,
         "last_seen_at": user.last_seen_at}
        for user in queries.users()
    ]  # fmt: skip
    return render_template("accounts/users.html", users=rows)


@bp.get("/users/permissions")
def permissions() -> Page:
    """The permission table, as the code has it."""
    roles = [{"key": key, "label": label} for key, label in ROLES]
    rows = [
        {
            "label": ACTIONS.get(rule.endpoint, rule.endpoint),
            "methods": ", ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})),
            "path": rule.rule,
            "allowed": {role.value: role in ALLOWED[rule.endpoint] for role in Role},
        }
        for rule in sorted(current_app.url_map.iter_rules(), key=lambda rule: rule.rule)
        if rule.endpoint in ALLOWED
    ]
    return render_template("accounts/permissions.html", roles=roles, rows=rows)


@bp.get("/users/new")
def new_user() -> Page:
    """The form for a new user."""
    return render_template("accounts/user_form.html", form=NewUserForm(), user=None)


@bp.post("/users/new")
def create_user() -> Page:
    """Makes a user."""
    form = NewUserForm()
    if form.validate_on_submit():
        try:
            with transaction():
                user = operations.create_user(form.profile(), form.password.data or "", who(), utc_now())
            flash(_("%(name)s can log in now.", name=user.name), "success")
            return redirect(url_for("accounts.users"), 303)
        except operations.EmailTaken:
            form.email.errors = [_("Another user has this mail address.")]
    return render_template("accounts/user_form.html", form=form, user=None), 422


@bp.get("/users/<int:id>")
def edit_user(id: int) -> Page:
    """The form that changes a user."""
    user = queries.user(id) or abort(404)
    department = user.department.name if user.department else ""
    kept = {"name": user.name, "email": user.email, "role": user.role, "active": user.active, "department": department}
    form = EditUserForm(data=kept)
    return render_template("accounts/user_form.html", form=form, user=user)


@bp.post("/users/<int:id>")
def change_user(id: int) -> Page:
    """Changes a user; role, password or switching off end their sessions."""
    user = queries.user(id) or abort(404)
    form = EditUserForm()
    if form.validate_on_submit():
        try:
            with transaction():
                operations.change_user(id, form.profile(), form.password.data or "", who(), utc_now())
            flash(_("The changes are stored."), "success")
            return redirect(url_for("accounts.users"), 303)
        except operations.EmailTaken:
            form.email.errors = [_("Another user has this mail address.")]
        except operations.LastAdmin:
            form.role.errors = [_("Someone must stay admin: make another admin first.")]
    return render_template("accounts/user_form.html", form=form, user=user), 422
