"""The terminal protocol in Python: a connection that asks, answers and listens. Needs the package websockets.

docs/PROTOCOL.md says what the protocol is, docs/protocol/bodies.md what each signal has in its body.
"""

import asyncio
import json
import ssl
from datetime import datetime

from websockets.asyncio.client import connect

ANSWER_S = 5
HEARTBEAT_S = 30
SUCCESS = "0000"


class Refused(Exception):
    """A request that was answered by platform::error."""

    def __init__(self, signal, code, message):
        super().__init__(f"{signal}: {code} {message}")
        self.code = code


class Terminal:
    """A registered terminal. Use it as `async with Terminal(...) as terminal`.

    `handlers` are asynchronous functions by signal: each gets the body of a push. What a handler returns is sent back under
    the push's id, which is how `control::*` is answered.
    """

    def __init__(self, url, client_id, username, password, client_type="OTHER", name=None, trust=None):
        self.url, self.trust = url, trust
        self.login = {
            "clientId": client_id,
            "clientType": client_type,
            "name": name or client_id,
            "username": username,
            "password": password,
        }
        self.handlers, self.waiting, self.handling = {}, {}, set()
        self.index, self.count = 99999, 0

    async def __aenter__(self):
        context = ssl.create_default_context(cafile=self.trust)
        self.socket = await connect(self.url, ssl=context, max_size=2**20, ping_interval=None)
        self.tasks = [asyncio.create_task(self.listen())]
        answer = await self.ask("client::register", self.login)
        self.index = answer["index"]
        self.tasks.append(asyncio.create_task(self.live()))
        return self

    async def __aexit__(self, *_):
        for task in [*self.tasks, *self.handling]:
            task.cancel()
        await self.socket.close()

    def on(self, signal):
        """Makes a function the handler of a signal: @terminal.on("session::call")."""

        def note(handler):
            self.handlers[signal] = handler
            return handler

        return note

    async def ask(self, signal, body=None):
        """Sends a request; the body of its answer, or Refused."""
        number = self.next_id()
        answer = self.waiting[number] = asyncio.get_running_loop().create_future()
        await self.send(number, signal, body)
        try:
            message = await asyncio.wait_for(answer, ANSWER_S)
        finally:
            del self.waiting[number]
        if message["code"] != SUCCESS:
            raise Refused(signal, message["code"], message["message"])
        return message.get("body")

    async def tell(self, signal, body=None):
        """Sends what is not answered. If it fails, the handler of platform::error hears of it."""
        await self.send(self.next_id(), signal, body)

    async def send(self, number, signal, body):
        header = {"v": "1.0.0", "id": number, "signal": signal}
        await self.socket.send(json.dumps({"header": header, "body": body or {}}))

    def next_id(self):
        """The time, the index that the node gave, and a count: never the id of another message (docs/PROTOCOL.md, Messages)."""
        self.count = (self.count + 1) % 1000
        return int(f"{datetime.now():%d%H%M%S}{self.index:05}{self.count:03}")

    async def listen(self):
        async for text in self.socket:
            self.take(json.loads(text))

    def take(self, message):
        """An answer has the id of its request; all else is for the handlers."""
        header = message["header"]
        answer = self.waiting.get(header["id"])
        if answer is not None and not answer.done():
            answer.set_result(message)
        elif header["signal"] in self.handlers:
            # A handler may ask something itself, so it does not hold up what it waits for.
            task = asyncio.create_task(self.handle(header, message))
            self.handling.add(task)
            task.add_done_callback(self.handling.discard)

    async def handle(self, header, message):
        reply = await self.handlers[header["signal"]](message.get("body"))
        if reply is not None:
            await self.send(header["id"], header["signal"], reply)

    async def live(self):
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            await self.tell("client::heartbeat")
