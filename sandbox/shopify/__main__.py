"""Run a shop: python -m sandbox.shopify --port 8180 --products 30 --sell-every 4

Prints where it is and how to log in; what its shoppers do follows, a line each. Ctrl-C closes it.
"""

from __future__ import annotations

import argparse
import json
import signal
from contextlib import ExitStack
from pathlib import Path
from threading import Event

from sandbox.shopify.cost import PLANS
from sandbox.shopify.server import ShopServer
from sandbox.shopify.shop import Shop
from sandbox.shopify.shoppers import Shoppers
from sandbox.shopify.stocking import fill
from sandbox.shopify.storage import File


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.shopify", description="Run a pretend Shopify shop.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (this machine only)")
    parser.add_argument("--port", type=int, default=8180, help="0: any free one")
    parser.add_argument("--domain", default="acme.myshopify.com")
    parser.add_argument("--token", default="shpat_sandbox", help='static access token; "" for none')
    parser.add_argument("--client-id", default="sandbox")
    parser.add_argument("--secret", default="shpss_sandbox", help="client secret; also signs deliveries")
    parser.add_argument("--products", type=int, default=30, help="how many SKUs to begin with")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same shop")
    parser.add_argument("--sell-every", type=float, default=0, help="seconds between two things people do; 0: nobody")
    parser.add_argument("--currency", default="EUR")
    parser.add_argument("--tax-rate", default="0.19", help="included in prices")
    parser.add_argument("--plan", choices=sorted(PLANS), default="standard", help="how fast API points come back")
    parser.add_argument("--bucket", default="", help="another bucket: 1000/50 holds 1,000 and 50 come back a second")
    parser.add_argument("--routing-delay", type=float, default=2, help="seconds until an order has a location")
    parser.add_argument("--token-lifetime", type=float, default=86399, help="seconds a granted token is good for")
    parser.add_argument(
        "--retry-scale", type=float, default=0.01, help="1: retry deliveries over 4 hours; 0.01: 2½ min"
    )
    parser.add_argument("--state", type=Path, help="keep the shop in this file, and continue from it")
    parser.add_argument("--json", action="store_true", help="print one JSON object, and nothing else")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    shop = Shop(
        options.domain,
        options.token,
        options.client_id,
        options.secret,
        currency=options.currency,
        tax_rate=options.tax_rate,
        plan=options.plan,
        bucket=options.bucket,
        routing_delay=options.routing_delay,
        token_lifetime=options.token_lifetime,
        retry_scale=options.retry_scale,
        seed=options.seed,
    )
    closing = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: closing.set())
    with ExitStack() as stack:
        file = File(shop, options.state) if options.state else None
        if file is None or not file.read():
            fill(shop, options.products, options.seed)
        if file:
            file.start()
            stack.callback(file.stop)
        server = stack.enter_context(ShopServer(shop, options.port, options.host))
        introduce(server, as_json=options.json)
        if options.sell_every:
            tell = (lambda sentence: None) if options.json else (lambda sentence: print(sentence, flush=True))
            shoppers = Shoppers(shop, every=options.sell_every, seed=options.seed, tell=tell)
            shoppers.start()
            stack.callback(shoppers.stop)
        closing.wait()


def introduce(server: ShopServer, *, as_json: bool) -> None:
    shop = server.shop
    access = {
        "url": server.url,
        "domain": shop.domain,
        "token": shop.token,
        "client_id": shop.client_id,
        "secret": shop.secret,
    }
    if as_json:
        print(json.dumps(access), flush=True)
    else:
        print(
            f"{shop.domain} is open at {server.url} (token {shop.token}, client id {shop.client_id}, "
            f"secret {shop.secret})",
            flush=True,
        )


if __name__ == "__main__":
    main()
