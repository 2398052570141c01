"""One call of Shopify's Admin GraphQL API, and what each way of failing means for us.

https://shopify.dev/docs/api/usage/response-codes
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence, Set
from typing import Any

from integrations import http
from integrations.connector import AccessDenied, Busy, Denial, Refused, Unavailable
from integrations.shopify import access
from integrations.shopify.pace import ALONE, Pace, Points, View
from integrations.shopify.queries import API_VERSION
from integrations.shopify.reading import Json, at, nodes, text

#: Variables that say how long a page may be. Whoever asks for a page reads on until there is none.
_PAGE_SIZES = ("first", "lines")

_DENIED = {
    **{status: (words, Denial.LOCKED) for status, words in access.CLOSED.items()},
    403: ("Shopify forbids the app to use the shop {domain}. See that the app is installed there.", Denial.LOCKED),
    404: ("Shopify has no shop at {domain}. See that the address is right.", Denial.ADDRESS),
}
_LOCKED_OUT = (
    "Shopify refused the access token: it was revoked, or the app was uninstalled. Install the app in the shop again; "
    "if it has a token of its own, paste the new one into the connection."
)
#: Scopes in an error of Shopify's; of several named one is enough.
_SCOPES = re.compile(r"`([a-z_]+)`")
#: Codes of failures that pass by themselves; the answer is HTTP 200 all the same.
PASSING = {"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE", "IDEMPOTENCY_CONCURRENT_REQUEST"}


#: What a call may cost, as the shop told: by its address, the document and what the price depends on.
_costs: dict[tuple[Any, ...], float] = {}
#: Address and document → the page sizes that the shop lets us ask for, where the usual ones cost too much.
_sizes: dict[tuple[str, str], dict[str, int]] = {}


class GraphQLRefused(Refused):
    """The shop would not run the document; `errors` are its own."""

    def __init__(self, errors: list[Json]) -> None:
        super().__init__(f"Shopify refused: {words(errors)}")
        self.errors = errors


class FieldDenied(AccessDenied):
    """A scope or an approval is missing; `fields` are those below the root field that need it."""

    def __init__(self, errors: list[Json]) -> None:
        said = words(errors)
        lacking = [access.lack(scope) for scope in _SCOPES.findall(said)[:1]]
        super().__init__(_denial(said), Denial.SCOPE if lacking else Denial.APPROVAL, lacking)
        self.fields = {str(path[1]) for error in errors if len(path := error.get("path") or []) > 1}


class Api:
    """The Admin API of one shop.

    `token(refused)` gives the access token; it is called with "" before each call, and once more with the token that
    the shop refused: if it then gives the same one, there is no other. `pace` says when a call may be made.
    """

    def __init__(self, domain: str, base_url: str, token: Callable[[str], str], pace: Pace | None = None) -> None:
        self._domain = domain
        self.url = f"{base_url or f'https://{domain}'}/admin/api/{API_VERSION}/graphql.json"
        self._token = token
        self._pace = pace or Pace(View(), ALONE)
        #: The version that answered last: a retired one is silently replaced by a newer.
        self.served_version = ""
        #: What the shop last said of fields that will go away; empty: nothing.
        self.deprecation = ""

    @property
    def points(self) -> Points | None:
        """What the shop's bucket held when it last told."""
        return self._pace.view.points

    def call(self, document: str, variables: Json, *, optional: Set[str] = frozenset()) -> dict[str, Any]:
        """The answer's `data`. `optional` are fields below the root field that may be denied: they are null then.

        A denied field that must not be null takes its parent along; then it is denied whatever `optional` says.
        A page may be shorter than asked for, where a longer one costs more than the shop allows.

        Raises
        ------
        Busy: the shop's rate limit would be waited for longer than the caller's patience.
        Unavailable: down, slow, or a failure of the shop's own.
        AccessDenied: no token helps, the shop is closed, or (FieldDenied) a scope is missing.
        GraphQLRefused: anything else that the shop has against the document.
        """
        answer = self._affordable(document, variables)
        errors = [error for error in _errors(answer) if not _is_tolerable(error, answer, optional)]
        if errors:
            raise _meaning(errors)
        if warnings := _search_warnings(answer):
            raise Refused(f"Shopify did not understand what we searched for: {warnings}")
        data = answer.get("data")
        if not isinstance(data, dict):
            raise Unavailable("Shopify answered without data.")
        return data

    def _affordable(self, document: str, variables: Json) -> Json:
        """An answer to a page that is halved until the shop can be paid for it; the size is remembered."""
        known = (self.url, document)
        while True:
            sizes = _sizes.get(known, {})
            asked = {name: min(value, sizes[name]) if name in sizes else value for name, value in variables.items()}
            answer = self._paced(document, asked)
            if not _is_too_dear(answer):
                return answer
            halves = {name: asked[name] // 2 for name in _PAGE_SIZES if asked.get(name, 0) > 1}
            if not halves:
                return answer
            _sizes[known] = {**sizes, **halves}

    def _paced(self, document: str, variables: Json) -> Json:
        """An answer that is not for want of points. Throttling is an HTTP 200 without Retry-After, or an HTTP 429."""
        key = (self.url, document, *(value for value in variables.values() if isinstance(value, int)))
        patience_ends = time.monotonic() + self._pace.caller.patience_s
        while True:
            cost = _costs.get(key, 0.0)
            self._pace.take(cost, max(0.0, patience_ends - time.monotonic()))
            actual, points = 0.0, None
            try:
                answer = self._post({"query": document, "variables": variables})
                actual, points = _actual_cost(answer), _points(answer)
            except Busy as error:
                self._pace.view.close(error.wait.total_seconds())
                continue
            finally:
                self._pace.settle(cost, actual, points)
            requested = at(answer, "extensions", "cost", "requestedQueryCost")
            if requested is not None:
                _costs[key] = float(requested)
            if "THROTTLED" not in map(_code, _errors(answer)) or _is_too_dear(answer):
                return answer
            self._pace.refused(float(requested or 0), points)

    def _post(self, body: Json) -> Json:
        token = self._token("")
        answer = self._send(body, token)
        if answer.status == 401:
            renewed = self._token(token)
            if renewed != token:
                answer = self._send(body, renewed)
            if answer.status == 401:
                raise AccessDenied(_LOCKED_OUT)
        if answer.status in _DENIED:
            sentence, denial = _DENIED[answer.status]
            raise AccessDenied(sentence.format(domain=self._domain), denial)
        content = answer.json()
        if not isinstance(content, dict):
            raise Unavailable("Shopify's answer is not what it should be.")
        if answer.status != 200:
            raise Refused(f"Shopify refused (HTTP {answer.status}): {words(_errors(content))}")
        self.served_version = answer.headers.get("X-Shopify-API-Version", self.served_version)
        self.deprecation = answer.headers.get("X-Shopify-API-Deprecated-Reason", self.deprecation)
        return content

    def _send(self, body: Json, token: str) -> http.Answer:
        if not token.isascii() or not token.isprintable():
            raise AccessDenied("The access token has characters that no token of Shopify has. Paste it again.")
        return http.post(self.url, body, {"X-Shopify-Access-Token": token})


def _errors(answer: Json) -> list[Json]:
    """A list of objects as a rule; a lone text where the request did not reach GraphQL."""
    errors = answer.get("errors") or []
    if not isinstance(errors, list):
        errors = [errors]
    return [error if isinstance(error, dict) and "message" in error else {"message": str(error)} for error in errors]


def _code(error: Json) -> str:
    return text(error, "extensions", "code")


def _points(answer: Json) -> Points | None:
    status = at(answer, "extensions", "cost", "throttleStatus")
    told = [at(status, name) for name in ("currentlyAvailable", "maximumAvailable", "restoreRate")]
    return Points(*map(float, told)) if all(isinstance(each, int | float) for each in told) and told[2] > 0 else None


def _actual_cost(answer: Json) -> float:
    return float(at(answer, "extensions", "cost", "actualQueryCost") or 0)


def _is_too_dear(answer: Json) -> bool:
    """A single call may cost so much and no more; nor can a bucket pay for what it could never hold."""
    codes, points = set(map(_code, _errors(answer))), _points(answer)
    requested = at(answer, "extensions", "cost", "requestedQueryCost") or 0
    return "MAX_COST_EXCEEDED" in codes or ("THROTTLED" in codes and points is not None and requested > points.maximum)


def words(errors: Sequence[Json]) -> str:
    """The messages of errors or userErrors, one after the other."""
    return " ".join(str(error.get("message") or "no reason given") for error in errors)[:500]


def _is_tolerable(error: Json, answer: Json, optional: Set[str]) -> bool:
    path = error.get("path") or []
    below = len(path) > 1 and path[1] in optional
    return below and _code(error) == "ACCESS_DENIED" and at(answer, "data", str(path[0])) is not None


def _search_warnings(answer: Json) -> str:
    """A search that the shop misread is answered all the same, with far too much; only this tells."""
    searches = nodes(at(answer, "extensions"), "search")
    return words([warning for search in searches for warning in nodes(search, "warnings")])


def _meaning(errors: list[Json]) -> Exception:
    codes = set(map(_code, errors))
    if denied := [error for error in errors if _code(error) == "ACCESS_DENIED"]:
        return FieldDenied(denied)
    if "SHOP_INACTIVE" in codes:
        return AccessDenied("The shop is closed at Shopify.", Denial.LOCKED)
    if codes & PASSING:
        return Unavailable(f"Shopify has a problem of its own: {words(errors)}")
    return GraphQLRefused(errors)


def _denial(words: str) -> str:
    if scopes := _SCOPES.findall(words):
        return (
            f"Shopify denies us access: the app lacks the scope {' or '.join(scopes)}. Add it to the app in Shopify, "
            f"have the shop approve it, and check the connection again. Shopify says: {words}"
        )
    if "not approved" in words:
        return (
            "Shopify denies us access: fill in the app's “Protected customer data access” form in Shopify, then check "
            f"the connection again. Shopify says: {words}"
        )
    return f"Shopify denies us access: {words}"
