"""Buttons that replace what lets us into a shop. What is typed is never shown again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone

from catalog.admin import click, theme
from integrations import credentials, health, registry
from integrations.models import Connection


class SecretInput(theme.TextInput):  # type: ignore[misc]  # the theme has no types
    input_type = "password"

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "off", "spellcheck": "false"})

    def get_context(self, name: str, value: Any, attrs: Any) -> Any:
        """What was typed before is not sent back."""
        return super().get_context(name, None, attrs)


class RotateForm(click.Form):
    secret = forms.CharField(label="New secret", max_length=255, widget=SecretInput())

    def help(self) -> str:
        tried = (
            "It is tried with Shopify before it is stored."
            if credentials.is_with_client(self.instance)
            else "Shopify has no way to try it: the next webhook shows whether it is right."
        )
        return (
            "The secret with which Shopify signs webhooks was changed: Dev Dashboard › your app › Settings ›"
            " Credentials. Paste the new one here. The one before is accepted for another hour, as Shopify goes on"
            f" signing with it for a while. {tried}"
        )


class AccessForm(click.Form):
    token = forms.CharField(
        label="Admin API access token", max_length=255, required=False, widget=SecretInput(),
        help_text="Of a custom app that was made in the shop's admin. It starts with shpat_.",
    )  # fmt: skip
    client_id = forms.CharField(
        label="Client ID", max_length=255, required=False, widget=theme.TextInput(),
        help_text="Of an app of the Dev Dashboard, together with its secret.",
    )  # fmt: skip
    secret = forms.CharField(label="Client secret", max_length=255, required=False, widget=SecretInput())

    def help(self) -> str:
        return (
            "Paste the new access token, or the app's client ID and secret. They are tried with the shop before they"
            " are stored; if it lets us in, the connection goes on."
        )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        has_client = bool(given.get("client_id")) and bool(given.get("secret"))
        has_part = bool(given.get("client_id")) or bool(given.get("secret"))
        if bool(given.get("token")) == has_part or has_part != has_client:
            raise forms.ValidationError("Give either the access token, or the client ID and its secret.")
        return given


def _is_shop(connection: Connection) -> bool:
    return connection.platform in registry.CONNECTORS


class AddressForm(click.Form):
    domain = forms.CharField(
        label="Address", max_length=255, widget=theme.TextInput(), help_text="It ends in .myshopify.com."
    )

    def help(self) -> str:
        return (
            f"Where the shop is now, instead of {self.instance.domain}. It must be the same shop: the one that answers"
            " there is asked who it is."
        )

    def clean_domain(self) -> str:
        try:
            return registry.DOMAINS[self.instance.platform](self.cleaned_data["domain"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class AccessClicks(click.Clickable):
    """What a shop's page can do about our access."""

    @click.button(
        "Change address…", icon="alternate_email", form=AddressForm, is_listed=False, when=_is_shop,
    )  # fmt: skip
    def change_address(self, request: HttpRequest, connection: Connection, form: AddressForm) -> str:
        actor, now = request.user.get_username(), timezone.now()
        health.move(connection, form.cleaned_data["domain"], now, actor=actor)
        health.check_all(connection, now)
        return f"{connection} is at {connection.domain}, and lets us in."

    @click.button("Rotate secret…", icon="key", form=RotateForm, when=_is_shop)
    def rotate_secret(self, request: HttpRequest, connection: Connection, form: RotateForm) -> str:
        actor, now = request.user.get_username(), timezone.now()
        credentials.rotate_secret(connection, form.cleaned_data["secret"], actor=actor, now=now)
        return "The new secret is stored. The one before is accepted for another hour."

    @click.button("Change access…", icon="vpn_key", form=AccessForm, when=_is_shop)
    def change_access(self, request: HttpRequest, connection: Connection, form: AccessForm) -> str:
        actor, now = request.user.get_username(), timezone.now()
        given = form.cleaned_data
        if given["token"]:
            credentials.change_token(connection, given["token"], actor=actor, now=now)
        else:
            credentials.change_client(connection, given["client_id"], given["secret"], actor=actor, now=now)
        return f"{connection} lets us in with it."
