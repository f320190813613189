"""Connections that clients have closed are closed here, too.

Hypercorn waits at the end of a connection for its own clock of idle ones: for 75 seconds, in which the socket stays open. With some
hundred requests a second these are many thousand, and each request searches the list of them.
"""

from hypercorn.asyncio.tcp_server import TCPServer
from wrapping import replace_method


def install():
    replace_method(TCPServer, "_read_data", read)
    replace_method(TCPServer, "_idle_timeout", idle)


async def read(read_data, server):
    await read_data(server)
    await server.idle_task.stop()


async def idle(idle_timeout, server):
    if not server.reader.at_eof():
        await idle_timeout(server)
