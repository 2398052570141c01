"""CSV files out and in: what the merchant's tables are called here, how they are written, and how they are taken in."""
