"""A line to one student's process: questions with a deadline, answers that are plain data, and what it prints."""

import contextlib
import queue
import re
import secrets
import threading
import time

from vitkeras.grading.inside import carrier

CHATTER = re.compile(  # what TensorFlow says as it starts, whatever it is told
    r"^(WARNING: All log messages before absl|[IWE]\d{4} |To enable the following instructions).*\n", re.MULTILINE
)
KEPT = 4000  # characters of what is printed: the first, and as many of the last


class Lost(Exception):
    """The process has ended, or was ended; the text says how."""


class Unsendable(Exception):
    """The question is nothing that can cross, which is the examiner's fault."""


class Late(Exception):
    """No answer within the time."""


class Connection:
    """`end()` ends the process with all its children, and says how it ended."""

    def __init__(self, answers, questions, output, end):
        self.questions, self.end, self.ended = questions, end, ""
        self.arrived = queue.Queue(maxsize=2)
        self.output = Output()
        self.threads = [
            threading.Thread(target=listen, args=(answers, self.arrived), daemon=True),
            threading.Thread(target=self.output.drain, args=(output,), daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    def ask(self, do, seconds, **arguments):
        """The reply to a question, at most `seconds` later."""
        token = secrets.token_hex(8)
        deadline = time.monotonic() + seconds
        sender = threading.Thread(target=self.send, args=({"token": token, "do": do, "with": arguments},), daemon=True)
        sender.start()  # a process that reads nothing would keep us waiting here
        while True:
            try:
                reply = self.arrived.get(timeout=max(0.001, deadline - time.monotonic()))
            except queue.Empty:
                self.close()
                raise Late from None
            if isinstance(reply, Unsendable):
                raise reply
            if reply is None or isinstance(reply, Exception):
                self.close()
                raise Lost(self.ended if reply is None else f"it sent what is no answer: {reply}")
            if isinstance(reply, dict) and reply.get("token") == token:
                return reply
            if time.monotonic() > deadline:  # answers to no question of ours: somebody writes ahead
                self.close()
                raise Late

    def send(self, message):
        try:
            carrier.send(self.questions, message)
        except carrier.NotPlain as fault:
            self.arrived.put(Unsendable(str(fault)))
        except (OSError, ValueError):  # it has ended, and the listener will say so
            return

    def close(self):
        if not self.ended:
            self.ended = self.end() or "it was ended"
            threading.Thread(target=self.forget, daemon=True).start()
            self.threads[1].join(timeout=2)  # what it printed last
        return self.ended

    def forget(self):
        """Let the listener end, if it waits to hand over an answer that nobody wants."""
        while self.threads[0].is_alive():
            try:
                self.arrived.get(timeout=0.1)
            except queue.Empty:
                continue
        with contextlib.suppress(OSError, ValueError):
            self.questions.close()


def listen(stream, arrived):
    try:
        with stream:
            while (message := carrier.receive(stream)) is not None:
                arrived.put(message)
        arrived.put(None)
    except carrier.Malformed as fault:
        arrived.put(fault)
    except (OSError, ValueError):
        arrived.put(None)


class Output:
    """The beginning and the end of what a process prints, however much that is."""

    def __init__(self):
        self.start, self.rest, self.size = b"", b"", 0

    def drain(self, stream):
        try:
            with stream:
                while data := stream.read1(65536):
                    self.size += len(data)
                    room = KEPT - len(self.start)
                    self.start += data[:room]
                    self.rest = (self.rest + data[room:])[-KEPT:] if room < len(data) else self.rest
        except (OSError, ValueError):
            return

    def text(self):
        left_out = self.size - len(self.start) - len(self.rest)
        middle = f"\n[… {left_out:,} bytes left out …]\n" if left_out else ""
        text = self.start.decode(errors="replace") + middle + self.rest.decode(errors="replace")
        return CHATTER.sub("", text)
