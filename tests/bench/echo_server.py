"""A server that sends back what it is sent, a greenlet for each connection, for echo.cpp. Prints its port."""

import socket

from gevent.server import StreamServer


def serve(connection, _address):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while data := connection.recv(4096):
            connection.sendall(data)
    except OSError:
        pass
    connection.close()


server = StreamServer(("127.0.0.1", 0), serve, backlog=4096)
server.start()
print(server.server_port, flush=True)
server.serve_forever()
