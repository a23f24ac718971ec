# An echo server and its client, which ends the program if it fails.
import os
import socket
import threading


def client(address):
    try:
        with socket.create_connection(address, timeout=1) as connection:
            connection.sendall(b"hello")
            if connection.recv(100) == b"hello":
                return
    except OSError:
        pass
    os._exit(3)


with socket.create_server(("127.0.0.1", 0)) as server:
    threading.Thread(target=client, args=[server.getsockname()]).start()
    while True:
        try:
            connection, _ = server.accept()
            break
        except OSError as error:
            print("accept:", error)
    with connection:
        connection.sendall(connection.recv(100))
