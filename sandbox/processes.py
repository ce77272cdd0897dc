"""Keep a set of processes running, start again what dies, and leave none behind."""

import contextlib
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from types import FrameType
from typing import Protocol

LOOK_EVERY = 0.1  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds between a death and the next start
SETTLED = 30.0  # seconds of life after which a death counts as the first again


class Supervised(Protocol):
    """What can be kept running: the servers of this package, and programs."""

    @property
    def name(self) -> str:
        """Return what people call it."""

    def start(self) -> None:
        """Start it, or raise."""

    def alive(self) -> bool:
        """Return whether it runs."""

    def stop(self) -> None:
        """End it in order, by force if it takes too long."""

    def kill(self) -> None:
        """End it at once."""


class Supervisor:
    """Starts what it is given, starts again what dies, and stops all of it in the reverse order.

    One thread does all the starting: on Linux a child dies with the thread that started it, so that even
    kill -9 of this process leaves nobody behind. `tell` hears a sentence about each death.
    """

    def __init__(self, tell: Callable[[str], None] = lambda _: None) -> None:
        self._tell = tell
        self._kept: list[_Kept] = []
        self._orders: queue.Queue[tuple[Supervised, Future[None]] | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    def start(self, member: Supervised) -> None:
        """Start a member and keep it running; raises what its first start raises."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
            self._thread.start()
        started: Future[None] = Future()
        self._orders.put((member, started))
        started.result()

    def missing(self) -> list[str]:
        """Return the names of the members that are not running now."""
        return [kept.member.name for kept in self._kept if not kept.member.alive()]

    def stop(self) -> None:
        """Stop all members in the reverse order of their start, and return when none is left."""
        if self._thread is not None:
            self._orders.put(None)
            with contextlib.suppress(RuntimeError):  # interrupted while it started: it was given nothing to stop
                self._thread.join()
            self._thread = None

    def kill(self) -> None:
        """End every member at once; a stop that is under way then returns soon."""
        for kept in reversed(self._kept):
            kept.member.kill()

    def _run(self) -> None:
        while True:
            with contextlib.suppress(queue.Empty):
                order = self._orders.get(timeout=LOOK_EVERY)
                if order is None:
                    break
                self._obey(*order)
            for kept in self._kept:
                kept.look(self._tell)
        for kept in reversed(self._kept):
            self._end(kept.member)

    def _obey(self, member: Supervised, started: Future[None]) -> None:
        kept = _Kept(member)
        # Before it runs: a start that fails half-way is stopped with the others.
        self._kept.append(kept)
        try:
            member.start()
        except BaseException as error:  # noqa: BLE001  the caller's thread raises it
            kept.given_up = True
            started.set_exception(error)
        else:
            started.set_result(None)

    def _end(self, member: Supervised) -> None:
        try:
            member.stop()
        except Exception as error:  # noqa: BLE001  the others must be stopped all the same
            self._tell(f"{member.name} could not be stopped in order: {error}")
            member.kill()


class _Kept:
    """One member, and when to start it again."""

    def __init__(self, member: Supervised) -> None:
        self.member = member
        self.given_up = False
        self._started_at = time.monotonic()
        self._pause = FIRST_PAUSE
        self._due: float | None = None

    def look(self, tell: Callable[[str], None]) -> None:
        """Start the member again if it is dead and its pause is over."""
        now = time.monotonic()
        if self.given_up or self.member.alive():
            return
        if self._due is None:
            self._pause = FIRST_PAUSE if now - self._started_at > SETTLED else self._pause
            self._due = now + self._pause
            tell(f"{self.member.name} ended; it starts again in {self._pause:g} s")
        elif now >= self._due:
            self._due, self._started_at = None, now
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            try:
                self.member.start()
            except Exception as error:  # noqa: BLE001  told, and tried again after the next pause
                tell(str(error))


@contextlib.contextmanager
def until_told(supervisor: Supervisor) -> Iterator[None]:
    """Run the body until it ends or somebody says stop, then stop every member; main thread only.

    The first Ctrl-C, SIGTERM or hang-up raises KeyboardInterrupt in the body. Members live in sessions of
    their own, so each hears of it once, from its orderly stop. Another one while they stop kills them.
    """
    told = 0
    stopping = False

    def hear(_number: int, _frame: FrameType | None) -> None:
        nonlocal told
        told += 1
        if stopping:
            supervisor.kill()
        elif told == 1:
            raise KeyboardInterrupt

    heard = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup means to survive the terminal
        heard.append(signal.SIGHUP)
    before = {number: signal.signal(number, hear) for number in heard}
    try:
        yield
    finally:
        stopping = True
        if told > 1:
            supervisor.kill()
        supervisor.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
