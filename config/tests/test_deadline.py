"""The deadline of requests: who waits for a thread too long is never run, and who runs too long is not waited for."""

import asyncio

import pytest

from config import deadline
from config.deadline import Threads, TooLate


def test_what_ends_in_time_is_returned_and_what_it_raises_is_raised():
    async def fine():
        return "done"

    async def broken():
        raise ValueError("broken")

    async def play():
        threads = Threads(1, 5)
        assert await threads.run(fine) == "done"
        with pytest.raises(ValueError, match="broken"):
            await threads.run(broken)
        assert await threads.run(fine) == "done"

    asyncio.run(play())


def test_what_waited_too_long_never_runs_and_what_runs_too_long_keeps_its_place(monkeypatch):
    monkeypatch.setattr(deadline, "STUCK_SECONDS", 0.01)
    ran = []

    async def play():
        threads, database_is_back = Threads(1, 0.05), asyncio.Event()

        async def stuck():
            await database_is_back.wait()
            ran.append("stuck")

        async def quick():
            ran.append("quick")

        first, second = await asyncio.gather(threads.run(stuck), threads.run(quick), return_exceptions=True)
        assert isinstance(first, TooLate) and isinstance(second, TooLate)
        assert second.running is None and not first.running.done()
        with pytest.raises(TooLate) as third:
            await threads.run(quick)
        assert third.value.running is None and ran == []

        database_is_back.set()
        await first.running
        await threads.run(quick)
        assert ran == ["stuck", "quick"]

    asyncio.run(play())


def test_as_many_run_at_once_as_there_are_places():
    most, now = [], set()

    async def work():
        now.add(task := asyncio.current_task())
        most.append(len(now))
        await asyncio.sleep(0)
        now.discard(task)

    async def play():
        threads = Threads(2, 5)
        await asyncio.gather(*(threads.run(work) for _ in range(6)))

    asyncio.run(play())
    assert max(most) == 2 and len(most) == 6
