"""Hubble's gRPC service over an observer: Observer and health, by generic handlers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import TYPE_CHECKING, TypeVar

from playbooks.model.hubble.proto import observer_pb2
from playbooks.practice.hubble.observers import NotOffered, Observer
from playbooks.practice.hubble.question import WrongRequest
from playbooks.practice.hubble.streams import Stream

# Its own log would go to a terminal that belongs to somebody else.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc

if TYPE_CHECKING:
    from playbooks.practice.hubble.past import Past

T = TypeVar("T")
"""A request."""

STEP = 0.2
"""Seconds between two looks at the world's clock."""
_WORKERS = 32
_HEALTH = "/grpc.health.v1.Health/"
_SERVICES = ("", "hubble.server.Observer")
_SERVING, _NOT_SERVING, _UNKNOWN = b"\x08\x01", b"\x08\x02", b"\x08\x03"
_LENGTH = 2


class Service(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Answers calls in threads of its own; the world is looked at by `look` only."""

    def __init__(self, observer: Observer, look: Callable[[], Past]) -> None:
        """`look` may be called in any thread; it raises `RuntimeError` when the world is no longer there."""
        self._observer, self._look = observer, look
        self._ended = threading.Event()

    def end(self) -> None:
        """Let all streams end."""
        self._ended.set()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """The handler of a call; nothing for what Hubble does not have."""
        ask = self._observer
        made: dict[str, Callable[[], grpc.RpcMethodHandler]] = {
            "/observer.Observer/GetFlows": lambda: self._stream(observer_pb2.GetFlowsRequest, ask.flows),
            "/observer.Observer/GetAgentEvents": lambda: self._stream(
                observer_pb2.GetAgentEventsRequest, ask.agent_events
            ),
            "/observer.Observer/GetDebugEvents": lambda: self._stream(
                observer_pb2.GetDebugEventsRequest, ask.debug_events
            ),
            "/observer.Observer/ServerStatus": lambda: self._single(ask.status),
            "/observer.Observer/GetNodes": lambda: self._single(ask.nodes),
            "/observer.Observer/GetNamespaces": lambda: self._single(ask.namespaces),
            f"{_HEALTH}Check": lambda: grpc.unary_unary_rpc_method_handler(self._check),
            f"{_HEALTH}Watch": lambda: grpc.unary_stream_rpc_method_handler(self._watch),
        }
        make = made.get(details.method)
        return make() if make is not None else None

    def _single(self, ask: Callable[[Past], object]) -> grpc.RpcMethodHandler:
        def answer(_request: bytes, context: grpc.ServicerContext) -> object:
            self._greet(context)
            try:
                return ask(self._look())
            except NotOffered as error:
                return context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
            except RuntimeError as error:
                return context.abort(grpc.StatusCode.UNAVAILABLE, str(error))

        return grpc.unary_unary_rpc_method_handler(
            answer, response_serializer=lambda message: message.SerializeToString()
        )

    def _stream(self, kind: type[T], ask: Callable[[T], Stream]) -> grpc.RpcMethodHandler:
        def answer(request: T, context: grpc.ServicerContext) -> Iterator[bytes]:
            self._greet(context)
            try:
                stream = ask(request)
                yield from self._told(stream, getattr(request, "follow", False), context)
            except WrongRequest as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            except NotOffered as error:
                context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
            except RuntimeError as error:
                context.abort(grpc.StatusCode.UNAVAILABLE, str(error))

        parse: Callable[[bytes], T] = kind.FromString  # type: ignore[attr-defined]
        return grpc.unary_stream_rpc_method_handler(answer, request_deserializer=parse)

    def _told(self, stream: Stream, is_followed: bool, context: grpc.ServicerContext) -> Iterator[bytes]:
        gone = threading.Event()
        if not context.add_callback(gone.set):
            return
        past = self._look()
        yield from stream.greet(past)
        if (delay := stream.delay(past)) and gone.wait(delay):
            return
        yield from stream.begin(self._look() if delay else past)
        while is_followed and not self._ended.is_set() and not gone.wait(STEP):
            yield from stream.more(self._look())

    def _greet(self, context: grpc.ServicerContext) -> None:
        context.send_initial_metadata((self._observer.header,))

    def _check(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        if _service(request) not in _SERVICES:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return self._health(request)

    def _watch(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        gone = threading.Event()
        if not context.add_callback(gone.set):
            return
        last = b""
        while not self._ended.is_set():
            now = self._health(request)
            if now != last:
                last = now
                yield now
            if gone.wait(STEP):
                return

    def _health(self, request: bytes) -> bytes:
        if _service(request) not in _SERVICES:
            return _UNKNOWN
        return _SERVING if self._observer.is_serving(self._look()) else _NOT_SERVING


def _service(request: bytes) -> str:
    """The one field of a health request: a short text."""
    return request[_LENGTH:].decode("utf-8", "replace")


class Server:
    """A gRPC server with one service."""

    def __init__(self, service: Service) -> None:
        """Nothing listens yet."""
        self._service = service
        self._pool = futures.ThreadPoolExecutor(_WORKERS, "hubble")
        self._server = grpc.server(
            self._pool, options=[("grpc.so_reuseport", 0), ("grpc.max_send_message_length", -1)]
        )
        self._server.add_generic_rpc_handlers((service,))

    def listen(self, address: str, certificate: tuple[bytes, bytes] | None = None) -> int:
        """Listen at host:port, or at `unix:` and a path; the port. Raises `OSError`.

        `certificate` is PEM: the chain and its key; without one there is no TLS.
        """
        try:
            if certificate is None:
                return int(self._server.add_insecure_port(address))
            chain, key = certificate
            return int(self._server.add_secure_port(address, grpc.ssl_server_credentials([(key, chain)])))
        except RuntimeError as error:
            raise OSError(f"Hubble's server cannot listen at {address}") from error

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self) -> None:
        """End all streams and wait for them; not to be called by the thread that `look` needs."""
        self._service.end()
        self._server.stop(0.2).wait(5)
        self._pool.shutdown(wait=False, cancel_futures=True)
