"""The General API: what programs call us by. The wire contract is docs/api.md.

door      a request comes in: key, rate, body, idempotency, activity; every answer goes out through it
calls     the list of calls (django-ninja), and what a call is
customers, sales, products, storages     the calls, one function each
selling   what a call does with a sale
bodies    what may be in a request, field by field; fields: of what kind
answers   what is in an answer, for the OpenAPI document; shapes: how rows become that
"""
