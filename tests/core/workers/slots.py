"""The slots of llama.cpp's server: how many samples it writes right now."""

import asyncio

import aiohttp

from scaffolding_core.workers.local import LocalWorker


async def busy_slots(worker: LocalWorker) -> int:
    slots = worker.base_url.removesuffix("/v1") + "/slots"
    async with aiohttp.ClientSession() as session, session.get(slots) as response:
        return sum(slot["is_processing"] for slot in await response.json())


async def until_idle(worker: LocalWorker) -> None:
    async with asyncio.timeout(60):
        while await busy_slots(worker):
            pass


async def until_busy(worker: LocalWorker) -> None:
    async with asyncio.timeout(60):
        while not await busy_slots(worker):
            pass
