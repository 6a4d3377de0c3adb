"""A WebSocket client with nothing but the standard library: says one message, prints every frame, until it is closed.

    python3 socket_client.py URL TEXT

prints each text frame on a line of its own, and at the end the close code.
"""

import base64
import hashlib
import json
import os
import socket
import struct
import sys
from urllib.parse import urlsplit

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def connect(url):
    target = urlsplit(url)
    line = socket.create_connection((target.hostname, target.port), timeout=20)
    key = base64.b64encode(os.urandom(16)).decode()
    line.sendall(
        f"GET {target.path}?{target.query} HTTP/1.1\r\nHost: {target.netloc}\r\n"
        f"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    stream = line.makefile("rb")
    status = stream.readline().decode()
    assert " 101 " in status, status
    accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
    headers = [header.decode().strip().lower() for header in iter(stream.readline, b"\r\n")]
    assert f"sec-websocket-accept: {accept}".lower() in headers, headers
    return line, stream


def send(line, opcode, payload):
    mask = os.urandom(4)
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0xFE]) + struct.pack(">H", len(payload))
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    line.sendall(bytes([0x80 | opcode]) + size + mask + masked)


def frames(stream):
    while True:
        first, second = stream.read(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", stream.read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", stream.read(8))
        assert first & 0x80 and not second & 0x80
        yield first & 0x0F, stream.read(size)


line, stream = connect(sys.argv[1])
send(line, TEXT, json.dumps({"type": "message", "id": "from python", "text": sys.argv[2]}).encode())
for opcode, payload in frames(stream):
    if opcode == TEXT:
        print(payload.decode("utf-8"), flush=True)
    elif opcode == PING:
        send(line, PONG, payload)
    elif opcode == CLOSE:
        send(line, CLOSE, payload)
        print(struct.unpack(">H", payload[:2])[0])
        break
