"""Reads Server-Sent Events with nothing but the standard library, and comes back when the connection breaks.

    python3 sse_reader.py URL COUNT

prints the data of each event on a line of its own, until there are COUNT.
"""

import http.client
import sys
import time
import urllib.error
import urllib.request


def connections(url):
    """Lines of one connection after the other, each with the last event id so far in hand."""
    state = {"id": None, "wait": 0.1}
    while True:
        headers = {"Accept": "text/event-stream"}
        if state["id"] is not None:
            headers["Last-Event-ID"] = state["id"]
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
                yield response, state
        except urllib.error.HTTPError:
            raise
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(state["wait"])


def events(url):
    for response, state in connections(url):
        data, last = [], None
        try:
            for raw in response:
                # As many clients do it: everything that Python takes for the end of a line ends one.
                for line in raw.decode("utf-8").splitlines() or [""]:
                    field, _, value = line.partition(":")
                    value = value.removeprefix(" ")
                    if line == "":
                        state["id"] = last if last is not None else state["id"]
                        if data:
                            yield "\n".join(data)
                        data, last = [], None
                    elif field == "data":
                        data.append(value)
                    elif field == "id":
                        last = value
                    elif field == "retry":
                        state["wait"] = int(value) / 10_000
        except (OSError, http.client.HTTPException):
            pass


if __name__ == "__main__":
    left = int(sys.argv[2])
    for event in events(sys.argv[1]):
        print(event, flush=True)
        left -= 1
        if left == 0:
            break
