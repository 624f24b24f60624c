"""The deadline of requests: what has waited for a thread, or run in one, for too long is answered without it."""

import asyncio
from contextlib import AsyncExitStack

# How long a newcomer waits for a place while all threads are stuck: one may come free at any moment.
STUCK_SECONDS = 2


class TooLate(Exception):
    """The deadline has passed. `running` is the task that goes on unheard, None when it has never begun."""

    def __init__(self, running=None):
        self.running = running


class Threads:
    """As many places as there are threads, for work that is to end within `seconds`, waiting for a place included.

    What is given up while it waits never runs. What runs cannot be stopped: it goes on and keeps its
    place, so the places that are left are threads that are free.
    """

    def __init__(self, count, seconds):
        self._count, self._seconds = count, seconds
        self._places, self._given_up = asyncio.Semaphore(count), set()

    async def run(self, work, turn=None):
        """What `await work()` returns. Raises TooLate; soon, while every thread holds what was given up.

        `turn` is a semaphore of work of which only so much may hold threads at once: the rest waits for it without one.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._seconds
        patience = STUCK_SECONDS if len(self._given_up) == self._count else self._seconds
        try:
            async with asyncio.timeout(patience):
                await self._enter(turn)
        except TimeoutError:
            raise TooLate from None
        running = loop.create_task(work())
        running.add_done_callback(self._leave)
        if turn:
            running.add_done_callback(lambda running: turn.release())
        done, _ = await asyncio.wait([running], timeout=deadline - loop.time())
        if not done:
            self._given_up.add(running)
            raise TooLate(running)
        return running.result()

    async def _enter(self, turn):
        """Take a turn if need be, and a place."""
        async with AsyncExitStack() as taken:
            if turn:
                await taken.enter_async_context(turn)
            await self._places.acquire()
            taken.pop_all()

    def _leave(self, running):
        self._places.release()
        if running in self._given_up:
            self._given_up.remove(running)
            # Nobody waits for how it ended, and asyncio would complain; Django has logged what went wrong.
            running.cancelled() or running.exception()
