"""Processes that read while this one writes; each has the store, open to be read."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import TypeVar

from reftel.archive.model import NoProcessError
from reftel.archive.store import Store

Work = Callable[[Store, bytes], bytes]
"""What a process does, as a module's function: it is asked, and answers, in bytes."""
_Asked = TypeVar("_Asked")

# What waits for each process, so that it has work while this one writes.
_AHEAD = 4

# In such a process.
_store: Store


def _begin(database: Path | str) -> None:
    global _store
    # Who is interrupted ends them, and says so once.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _store = Store(database, read_only=True)
    # What has been imported stays: it need not be looked through for garbage again and again.
    gc.freeze()
    # Nobody else ends it when the process that files is killed.
    threading.Thread(target=_end_with_its_parent, daemon=True).start()


def _end_with_its_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def _run(work: Work, packed: bytes) -> bytes:
    return work(_store, packed)


def _nothing(store: Store, packed: bytes) -> bytes:
    del store
    return packed


class Pool:
    """So many processes. Call `end` when there is nothing more to do."""

    def __init__(self, workers: int, database: Path | str) -> None:
        self._workers, self._database = workers, database
        self._executor = self._start()

    def _start(self) -> ProcessPoolExecutor:
        # Not forked: a child would share locks and connections with our threads.
        return ProcessPoolExecutor(
            self._workers, get_context("spawn"), initializer=_begin, initargs=(self._database,)
        )

    def submit(self, work: Work, packed: bytes) -> Future[bytes]:
        """Raises `BrokenProcessPool` with the answer, never before."""
        try:
            return self._executor.submit(_run, work, packed)
        except BrokenProcessPool as error:
            # A process has died since the last answer.
            failed: Future[bytes] = Future()
            failed.set_exception(error)
            return failed

    def each(
        self, work: Work, asked: Iterator[tuple[_Asked, bytes]]
    ) -> Iterator[tuple[_Asked, bytes | None]]:
        """The answers in the order in which they were asked for. A process that dies takes nothing with
        it: `None` is the answer, the next processes are there, and what was on its way is asked again."""
        waiting: deque[tuple[_Asked, bytes, Future[bytes]]] = deque()
        while True:
            while len(waiting) < _AHEAD * self._workers and (some := next(asked, None)):
                waiting.append((*some, self.submit(work, some[1])))
            if not waiting:
                return
            what, _, future = waiting.popleft()
            try:
                answer = future.result()
            except BrokenProcessPool:
                self.mend()
                yield what, None
                # Whatever else was on its way went down with it.
                for at, (other, packed, _) in enumerate(waiting):
                    waiting[at] = (other, packed, self.submit(work, packed))
            else:
                yield what, answer

    def mend(self) -> None:
        """Begin again with new processes. Raises `NoProcessError` if none can be."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._start()
        try:
            self.submit(_nothing, b"").result()
        except BrokenProcessPool as error:
            raise NoProcessError(
                "the processes that read end as soon as they begin: file with --workers 0. A program of"
                " one's own that files begins under if __name__ == '__main__':, since they import it"
            ) from error

    def end(self) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """How many processes may read at a time: one for each core that is ours."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
