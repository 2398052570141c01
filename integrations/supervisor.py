"""Keeps the queue's cluster alive and awake.

Alone, django-q2's cluster loses work without a word: a killed worker can leave it in a deadlock in which every process
looks alive. So it runs in a process group of its own, which is killed whole and started again when it has exited, or
when work is due and nobody touches it.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import FrameType

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from integrations import tasks
from integrations.models import Heartbeat

logger = logging.getLogger(__name__)

#: How often we look whether something is due.
TICK_S = 0.1
#: Work is due and no worker has begun for so long: the cluster is stuck. Longer than its own start takes; doubled with
#: each restart that did not help, for a machine on which that takes long.
UNTOUCHED = timedelta(seconds=15)
#: A worker has begun and shows no progress for so long. Longer than one call of a shop and its repeats.
STUCK = timedelta(seconds=60)
#: How long the cluster may take to end when it is asked to.
GRACE_S = 15.0
BEAT = timedelta(seconds=5)


def end_with_parent() -> None:
    """In a child that was just made: end when its parent does, however that happens. Linux; elsewhere nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


@dataclass
class Supervisor:
    """Run with `run()`; ends on SIGTERM or SIGINT, and takes the cluster with it."""

    cluster: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    stopping: bool = False
    due_since: datetime | None = None
    #: Restarts since somebody last worked.
    in_vain: int = 0

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        beaten = timezone.now() - BEAT
        try:
            while not self.stopping:
                try:
                    if timezone.now() - beaten >= BEAT:
                        beaten = timezone.now()
                        tasks.beat(tasks.SUPERVISOR, beaten)
                    self._look()
                except DatabaseError:
                    logger.exception("The database did not answer; trying again.")
                    close_old_connections()
                    time.sleep(1)
                time.sleep(TICK_S)
        finally:
            self._end()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _look(self) -> None:
        if self.cluster is None or self.cluster.poll() is not None:
            self._start()
        now = timezone.now()
        if not tasks.is_due(now):
            self.due_since, self.in_vain = None, 0
            return
        tasks.wake(now)
        self.due_since = self.due_since or now
        if self._is_stuck(now, self.due_since):
            logger.error("Work has been due since %s and nobody does it: restarting the cluster.", self.due_since)
            self.in_vain += 1
            self._end()

    def _is_stuck(self, now: datetime, due_since: datetime) -> bool:
        drain = Heartbeat.objects.filter(name=tasks.DRAIN).first()
        if drain and drain.beat_at and drain.beat_at > due_since:
            self.in_vain = 0
            return bool(now - drain.beat_at > STUCK)
        limit = UNTOUCHED * (1 << min(self.in_vain, 4))
        return now - due_since > limit and time.monotonic() - self.started_at > limit.total_seconds()

    def _start(self) -> None:
        if self.cluster is not None:
            logger.error("The cluster has ended with %s: starting it again.", self.cluster.returncode)
            self._end()
        tasks.forget_wake()
        self.cluster = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        self.started_at = time.monotonic()

    def _end(self) -> None:
        """Ask the main process to end, then end its whole group by force: a dead one may leave children behind.

        Only the main process is asked. Its children end in order when it tells them to, and hang when asked one by one.
        """
        if self.cluster is None:
            return
        self.cluster.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.cluster.wait(GRACE_S if self.stopping else 1)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.cluster.pid, signal.SIGKILL)
        self.cluster.wait()
        self.cluster = None
