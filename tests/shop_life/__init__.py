"""A shop's life, simulated: people buy, staff send and count, the merchant works here, and everything fails at times.

    python -m tests.shop_life --seed 7 --seconds 60 [--postgres postgresql://…]

Then the faults end, everything that is due is done, and both sides are compared with what must be so.
"""
