"""The speed that Stockbridge promises, measured. `python -m bench`; docs/performance.md says how."""
