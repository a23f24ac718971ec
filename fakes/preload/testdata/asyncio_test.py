"""Tests of an asyncio server, as its authors would write them."""

import asyncio
import socket
import threading
import time
import unittest


async def serve(reader, writer):
    line = await reader.readline()
    await asyncio.sleep(30)
    writer.write(line.upper())
    writer.close()
    await writer.wait_closed()


async def ask(port, text):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    try:
        return await reader.read()
    finally:
        writer.close()


class AsyncioTest(unittest.IsolatedAsyncioTestCase):
    async def test_twenty_clients_at_a_time(self):
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        before = time.monotonic()
        answers = await asyncio.gather(*[ask(port, b"a%d\n" % i) for i in range(20)])
        self.assertEqual(answers, [b"A%d\n" % i for i in range(20)])
        self.assertAlmostEqual(time.monotonic() - before, 30, delta=1)
        server.close()

    async def test_a_timeout_ends_a_connection(self):
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(ask(port, b"x\n"), 10)
        server.close()
        await asyncio.sleep(60)  # The server's side ends, too.

    async def test_work_in_another_thread(self):
        # The event loop is woken over a socketpair(2).
        self.assertEqual(await asyncio.to_thread(time.sleep, 5), None)


class SocketTest(unittest.TestCase):
    def test_threads(self):
        listener = socket.create_server(("127.0.0.1", 0))

        def accept():
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as stream:
                connection.sendall(stream.readline())

        thread = threading.Thread(target=accept)
        thread.start()
        with socket.create_connection(listener.getsockname()) as client:
            client.sendall(b"echo\n")
            self.assertEqual(client.recv(100), b"echo\n")
        thread.join()
        listener.close()


if __name__ == "__main__":
    unittest.main()
