"""The least that a Django app can do with a delivery: what ours is compared with."""
