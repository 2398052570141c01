"""The app in the shop: who may call, with which secret and scopes, under which address, in which version."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.shopify.orders import Orders
from sandbox.shopify.records import locked

API_VERSION = "2026-10"
#: Those served in November 2026. An older one that is asked for is answered by the first of these.
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10", "2027-01")
#: What a shop's former address does.
ADDRESSES = ("answers", "redirects", "gone")


@dataclass
class Profile:
    """What a shop says of itself."""

    gid: str
    name: str
    email: str
    myshopify_domain: str
    currency_code: str
    iana_timezone: str
    taxes_included: bool


class App(Orders):
    profile: Profile
    token: str
    client_id: str
    secret: str
    scopes: set[str]
    token_lifetime: timedelta

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(clock)
        self.is_installed = True
        #: Signs deliveries instead of the secret, and is good for tokens too; empty: there is none.
        self.previous_secret = ""
        #: Former addresses, and what they do.
        self.former: dict[str, str] = {}
        self.versions: Collection[str] = VERSIONS
        #: Document's name → fields in it that will go away, as each answer to it says.
        self.deprecated: dict[str, str] = {}
        #: Where requests about personal data go; empty: nowhere.
        self.compliance_uri = ""
        #: Of deliveries: the version is a setting of the app.
        self.api_version = API_VERSION

    @property
    def domain(self) -> str:
        return self.profile.myshopify_domain

    # --- tokens and secrets ------------------------------------------------------------------------------

    @locked
    def grant(self, client_id: str, secret: str) -> str | None:
        """A new token for the client credentials, or None if they are wrong. Only for an app that is installed."""
        known = [each for each in (self.secret, self.previous_secret) if each]
        if client_id != self.client_id or not any(hmac.compare_digest(secret, each) for each in known):
            return None
        token = f"shpat_{secrets.token_hex(16)}"
        self.book.tokens[token] = self.clock() + self.token_lifetime
        return token

    @locked
    def is_known(self, token: str) -> bool:
        """Whether a call with this token is let in."""
        ends = self.book.tokens.get(token)
        return (bool(self.token) and token == self.token) or (ends is not None and ends > self.clock())

    @locked
    def revoke_tokens(self) -> None:
        """No token that was given out is good any more, the static one included."""
        self.token = ""
        self.book.tokens.clear()

    @locked
    def rotate_secret(self, secret: str) -> None:
        """The app gets another secret. Deliveries are still signed with the old one, until `retire_secret`."""
        self.previous_secret, self.secret = self.secret, secret

    @locked
    def retire_secret(self) -> None:
        """The old secret is good for nothing any more."""
        self.previous_secret = ""

    @property
    def signing_secret(self) -> str:
        return self.previous_secret or self.secret

    # --- installed or not --------------------------------------------------------------------------------

    @locked
    def uninstall(self) -> None:
        """The merchant removes the app."""
        self.tell("app/uninstalled", self.profile)
        self.revoke_tokens()
        self.is_installed = False
        self.book.subscriptions.clear()

    @locked
    def install(self, token: str = "") -> None:
        """The merchant installs the app again. An app that was made in the shop gets another static token."""
        self.is_installed = True
        self.token = token

    @locked
    def set_scopes(self, scopes: Iterable[str]) -> None:
        """The merchant approves other scopes."""
        before, self.scopes = self.scopes, set(scopes)
        self.tell("app/scopes_update", self.profile, previous=sorted(before), current=sorted(self.scopes))

    # --- address and version -----------------------------------------------------------------------------

    @locked
    def rename(self, domain: str, former: str = "answers") -> None:
        """The shop gets another myshopify.com address. `former`: what the old one does, see ADDRESSES."""
        if former not in ADDRESSES:
            raise ValueError(f"A former address {', '.join(ADDRESSES)}; not {former!r}.")
        self.former[self.domain] = former
        self.profile.myshopify_domain = domain
        self.tell("shop/update", self.profile)

    def at(self, domain: str) -> str:
        """What a caller meets who asks for this address: one of ADDRESSES."""
        return "answers" if domain == self.domain else self.former.get(domain, "gone")

    def served(self, version: str) -> str:
        """Retired versions fall forward to the oldest that is still served; unknown ones too."""
        return version if version in self.versions or version == "unstable" else min(self.versions)

    @locked
    def retire_versions(self, until: str) -> None:
        """These and older ones are not served any more."""
        self.versions = [each for each in VERSIONS if each > until] or [VERSIONS[-1]]
