"""What is done on the page of a shop, or of any connection, by one click."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from catalog.admin import click, show, theme
from integrations import backfill, connections, health, inbox, order_checks, outbox, privacy, registry, reviews, setup
from integrations.admin import checks, imports
from integrations.models import Backfill, Connection

State = Connection.State
OPEN = (Backfill.State.RUNNING, Backfill.State.PAUSED)
#: Buttons that every connection has; the others are of shops.
OF_BOTH = {"pause", "resume"}


def is_shop(connection: Connection) -> bool:
    """A shop that we speak to; otherwise a program that speaks to us."""
    return connection.platform in registry.CONNECTORS


def _runs(connection: Connection) -> bool:
    return is_shop(connection) and connection.state == State.ACTIVE


def _is_seen(connection: Connection) -> bool:
    """It waits for the merchant, and there is something to look at."""
    return _runs(connection) and connection.stock_agreed_at is None and reviews.last(connection) is not None


def _quantities(count: int) -> str:
    return "1 quantity is" if count == 1 else f"{count:,} quantities are"


class SendForm(click.Form):
    DIFFERING, EVERYTHING = "differing", "everything"
    what = forms.ChoiceField(
        label="What", widget=theme.Select,
        choices=((DIFFERING, "What is not in step"), (EVERYTHING, "Everything: the shop is looked at first")),
    )  # fmt: skip

    def help(self) -> str:
        """What it takes, in numbers."""
        cost = reviews.cost(self.instance, registry.connector_for(self.instance))
        review = reviews.last(self.instance)
        when = f"as of {show.moment(review.finished_at)}" if review else "and nothing was compared yet: try a dry run"
        calls = "1 call" if cost.calls == 1 else f"{cost.calls:,} calls"
        takes = f" To send these: {calls}, about {max(1, round(cost.seconds)):,} s." if cost.levels else ""
        return (
            f"Ours replaces what the shop shows. {_quantities(cost.levels).removesuffix(' is').removesuffix(' are')}"
            f" differ {when}.{takes} Changes go out by themselves; this is for when you do not want to wait."
        )


class ForgetForm(click.Form):
    is_sure = forms.BooleanField(label="Forget them. There is no way back")


class ShopClicks(click.Clickable):
    """Buttons of connections; `OF_BOTH` are those of programs, too."""

    @click.button("Activate", icon="play_arrow", tone="primary", when=lambda one: one.state == State.SETUP)
    def activate(self, request: HttpRequest, connection: Connection) -> str:
        setup.activate(connection, timezone.now())
        if connection.stock_agreed_at is None:
            return f"{connection} is active: orders come in. Quantities are compared first; you confirm what changes."
        return f"{connection} is active: orders come in and quantities go out."

    @click.button("Resume", icon="play_arrow", tone="primary", when=lambda one: one.state == State.PAUSED)
    def resume(self, request: HttpRequest, connection: Connection) -> str:
        connections.resume(connection, request.user.get_username())
        if not is_shop(connection):
            return f"{connection} is active again: its calls are answered, and it is told what happened meanwhile."
        return f"{connection} is active again. What happened meanwhile is taken in now."

    @click.button("Dry run", icon="difference", when=_runs)
    def dry_run(self, request: HttpRequest, connection: Connection) -> str:
        reviews.begin(connection, timezone.now())
        return "All quantities are being compared; nothing is changed by that. What differs is listed in a moment."

    @click.button(
        "Send stock…", icon="upload", form=SendForm, when=lambda one: _runs(one) and one.stock_agreed_at is not None
    )
    def send_stock(self, request: HttpRequest, connection: Connection, form: SendForm) -> str:
        if form.cleaned_data["what"] == SendForm.EVERYTHING:
            count = outbox.reconcile(connection, timezone.now())
            return f"{_quantities(count)} looked at in the shop and sent where they differ."
        return f"{_quantities(reviews.send(connection))} sent now."

    @click.button("Confirm the first push", icon="done_all", tone="primary", when=_is_seen)
    def agree(self, request: HttpRequest, connection: Connection) -> str:
        reviews.agree(connection, timezone.now())
        return f"Confirmed: {connection} and your storages come into step now."

    @click.button("Pause", icon="pause", when=lambda one: one.state == State.ACTIVE)
    def pause(self, request: HttpRequest, connection: Connection) -> str:
        connections.pause(connection, f"Paused by {request.user.get_username()}. Resume it when you are ready.")
        if not is_shop(connection):
            return f"{connection} is paused: its calls are refused, and it is told nothing until you resume."
        return f"{connection} is paused. Webhooks are still remembered."

    @click.button(
        "Forget its customers…",
        icon="person_off",
        tone="danger",
        form=ForgetForm,
        when=lambda one: is_shop(one) and one.state != State.ACTIVE and not privacy.forgetting(one).exists(),
        permission="integrations.delete_connection",
        help="Names, addresses and notes of everybody who bought in this shop are removed, as when it asks for that."
        " Numbers, lines and amounts of the sales stay for your books; whoever also bought elsewhere is kept for that.",
    )
    def forget_customers(self, request: HttpRequest, connection: Connection, form: ForgetForm) -> str:
        privacy.forget_everybody(connection, timezone.now(), actor=request.user.get_username())
        return "They are being forgotten. Privacy requests says how far that is; delete the connection after it."

    @click.button("Check now", icon="network_check", when=is_shop)
    def check_now(self, request: HttpRequest, connection: Connection) -> str:
        account = health.check_all(connection, timezone.now())
        losses = {one.scope: one.loss for one in account.lacking} | account.missing
        said = [f"Without {scope}: {loss.rstrip('.')}." for scope, loss in losses.items()]
        return " ".join([f"{account.name} answers.", *said])

    @click.button("Retry waiting orders", icon="refresh", when=lambda one: one.waiting)
    def retry_orders(self, request: HttpRequest, connection: Connection) -> str:
        count = inbox.look_again(list(connection.order_links.exclude(problem="")))
        return f"{count} {'order is' if count == 1 else 'orders are'} read again now."

    @click.button("Retry quantities", icon="sync", when=lambda one: one.behind)
    def retry_quantities(self, request: HttpRequest, connection: Connection) -> str:
        count = outbox.retry(connection.published.exclude(problem=""))
        return f"{count} {'quantity is' if count == 1 else 'quantities are'} sent again now."

    @click.button(
        "Import orders…",
        icon="download",
        form=imports.ImportForm,
        when=lambda one: _runs(one) and not imports.is_in(one, *OPEN),
        help="Old orders become sales here, as this connection's filter says. What had left before the connection was"
        " activated takes nothing off the shelf any more; what is still open is reserved.",
    )
    def import_orders(self, request: HttpRequest, connection: Connection, form: imports.ImportForm) -> str:
        actor = request.user.get_username()
        backfill.start(connection, form.cleaned_data["since"], timezone.now(), actor=actor)
        return "The import has begun. Its progress is shown here."

    @click.button("Pause import", icon="pause", when=lambda one: imports.is_in(one, OPEN[0]))
    def pause_import(self, request: HttpRequest, connection: Connection) -> str:
        return self._turn(connection, backfill.pause, "The import is paused.")

    @click.button("Resume import", icon="play_arrow", when=lambda one: imports.is_in(one, OPEN[1]))
    def resume_import(self, request: HttpRequest, connection: Connection) -> str:
        return self._turn(connection, partial(backfill.resume, now=timezone.now()), "The import goes on.")

    @click.button("Cancel import", icon="close", when=lambda one: imports.is_in(one, *OPEN))
    def cancel_import(self, request: HttpRequest, connection: Connection) -> str:
        done = "The import is canceled. What it has imported stays."
        return self._turn(connection, partial(backfill.cancel, now=timezone.now()), done)

    def _turn(self, connection: Connection, act: Callable[[Backfill], None], done: str) -> str:
        if (found := imports.newest(connection)) is None:
            raise ValidationError("No import is under way.")
        act(found)
        return done

    @click.button(
        "Check orders",
        icon="rule",
        when=lambda one: _runs(one) and not checks.is_running(one),
    )
    def check_orders(self, request: HttpRequest, connection: Connection) -> str:
        order_checks.start(connection, timezone.now(), actor=request.user.get_username())
        return "Our sales are compared with the shop's orders now. The result is shown here."

    @click.button("Fix orders", icon="build", when=lambda one: checks.findings(one).exists())
    def fix_orders(self, request: HttpRequest, connection: Connection) -> str:
        return checks.fixed(order_checks.fix(checks.findings(connection), timezone.now()))
