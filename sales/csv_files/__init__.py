"""Customers and sales as CSV files; the machinery is `catalog.csv_files`."""
