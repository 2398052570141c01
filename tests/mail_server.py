"""A mail server that speaks SMTP on a port of its own, and says and does what a test tells it."""

from __future__ import annotations

import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any


class MailServer(ThreadingTCPServer):
    """Use as a context manager. `mails`: what it has taken."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Talk)
        self.port = int(self.server_address[1])
        self.mails: list[EmailMessage] = []
        #: Beginning of a command, such as "RCPT TO:<ANN@", → what it answers instead of taking it.
        self.refuses: dict[str, str] = {}
        #: Hangs up instead of answering this command.
        self.hangs_up_at = ""
        #: Commands that it heard.
        self.heard: list[str] = []

    def __enter__(self) -> MailServer:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def subjects(self) -> list[str]:
        return [mail["Subject"] for mail in self.mails]

    @property
    def texts(self) -> list[str]:
        return [mail.get_content() for mail in self.mails]


class _Talk(StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            command = line.upper()
            self.server.heard.append(command)
            if self.server.hangs_up_at and command.startswith(self.server.hangs_up_at):
                return
            refused = next((say for how, say in self.server.refuses.items() if command.startswith(how)), "")
            if refused:
                self._say(refused)
            elif command == "DATA":
                self._take()
            elif command == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _take(self) -> None:
        self._say("354 go on")
        rows: list[bytes] = []
        while (row := self.rfile.readline()) != b".\r\n":
            if not row:
                return
            rows.append(row)
        parsed: Any = message_from_bytes(b"".join(rows), policy=policy.default)
        self.server.mails.append(parsed)
        self._say("250 taken")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
