"""What `gunicorn config.wsgi` starts with; it reads this file by itself, and options on its command line come first."""

threads = 4
worker_class = "config.web.Worker"
