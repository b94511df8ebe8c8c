"""Feeds: one connection's messages as bytes, whatever it goes through; and the one over gRPC."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

from google.protobuf.message import DecodeError

from playbooks.model.answer import Gap
from playbooks.model.hubble.proto import observer_pb2
from playbooks.sources.hubble.broken import Broken, broken
from playbooks.sources.hubble.dial import Target, dial
from playbooks.sources.hubble.wire import Wire, is_possible
from playbooks.sources.hubble.wish import Call, Wish

if TYPE_CHECKING:
    import grpc

SERVICE = "/observer.Observer/"

T = TypeVar("T")
"""An answer."""


class Late(bytes):
    """A message that came after its place in time had been passed."""


class Feed(Protocol):
    """One connection."""

    @property
    def detail(self) -> str:
        """Who answers, in a few words, or what this connection cannot show."""

    def __iter__(self) -> Iterator[bytes]:
        """Messages as they come; ends when the other side is done. Raises `Broken`."""

    def oldest(self) -> Mapping[str, int] | None:
        """The time of the oldest flow that each node still has, or nothing where that cannot be asked.

        Nanoseconds. Asked after the stream is open: what is still there now was there when it began.
        """

    def stop(self) -> None:
        """Let the iteration end, from any thread."""

    def close(self) -> None:
        """Let go of it, in the thread that iterated."""


class GrpcFeed:
    """A stream over gRPC: raw bytes, read in the caller's thread."""

    def __init__(
        self,
        target: Target,
        wish: Wish,
        diagnose: Callable[[Broken], Broken] | None = None,
        *,
        is_fast: bool = True,
    ) -> None:
        """Sees that somebody answers, then opens the call. Raises `Broken`.

        `diagnose` may know better than gRPC why a connection fails; `is_fast` reads the stream ourselves.
        """
        self._is_fast = is_fast
        self._target = target
        self._wish = wish
        self._diagnose = diagnose or (lambda error: error)
        self._channel = dial(target)
        self._is_closed = self._is_stopped = False
        self.detail = ""
        try:
            self._greet()
            self._call = self._begun()
        except BaseException:
            self._channel.close()
            raise

    def _begun(self) -> Wire | grpc.CallIterator[bytes]:
        """The call: on a connection that we read ourselves where that is possible, else by the library."""
        method, request = SERVICE + self._wish.call, self._wish.request.SerializeToString()
        if self._is_fast and is_possible(self._target, request):
            with contextlib.suppress(OSError):
                return Wire.begun(self._target, method, request)
        return self._channel.unary_stream(method)(request, metadata=metadata(self._target))

    def _greet(self) -> None:
        """Ask for the server's status: a stream that is quiet does not even say that it is open."""
        import grpc

        ask = self._channel.unary_unary(SERVICE + "ServerStatus")
        try:
            told = ask(b"", timeout=self._target.seconds, metadata=metadata(self._target))
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                raise self._diagnose(broken(error, self._target.shown)) from error
        else:
            self.detail = _told(told)

    def __iter__(self) -> Iterator[bytes]:
        """The messages. Raises `Broken`."""
        import grpc

        try:
            yield from self._call
        except grpc.RpcError as error:
            if self._is_stopped:
                return
            raise self._diagnose(broken(error, self._target.shown)) from error
        except Broken as error:
            if self._is_stopped:
                return
            raise self._diagnose(error) from error

    def oldest(self) -> Mapping[str, int] | None:
        """Ask every node for its first flow."""
        import grpc

        if self._wish.call is not Call.FLOWS:
            return None
        request = observer_pb2.GetFlowsRequest(number=1, first=True)
        found: dict[str, int] = {}
        ask = self._channel.unary_stream(
            SERVICE + Call.FLOWS,
            request_serializer=observer_pb2.GetFlowsRequest.SerializeToString,
            response_deserializer=observer_pb2.GetFlowsResponse.FromString,
        )
        with contextlib.suppress(grpc.RpcError):
            for answer in ask(request, timeout=self._target.seconds, metadata=metadata(self._target)):
                if answer.HasField("flow"):
                    at = answer.time.ToNanoseconds()
                    found[answer.node_name] = min(at, found.get(answer.node_name, at))
            return found
        return None

    def stop(self) -> None:
        """Cancel the call."""
        self._is_stopped = True
        if isinstance(self._call, Wire):
            self._call.stop()
        else:
            self._call.cancel()

    def close(self) -> None:
        """Cancel the call and close the channel."""
        if not self._is_closed:
            self._is_closed = True
            if isinstance(self._call, Wire):
                self._call.close()
            else:
                self._call.cancel()
            self._channel.close()


def _told(raw: bytes) -> str:
    """Version and nodes in a server's status; nothing of what it does not tell."""
    try:
        status = observer_pb2.ServerStatusResponse.FromString(raw)
    except DecodeError:
        return ""
    words = [status.version] if status.version else []
    if status.HasField("num_connected_nodes"):
        away = status.num_unavailable_nodes.value
        words.append(f"{status.num_connected_nodes.value} nodes" + (f", {away} unavailable" if away else ""))
    return ", ".join(words)


def metadata(target: Target) -> tuple[tuple[str, str], ...]:
    """Headers of every call."""
    return (("authorization", target.authorization),) if target.authorization else ()


class Observer:
    """Single questions to a server."""

    def __init__(self, target: Target, seconds: float = 12.0) -> None:
        """`seconds` that an answer may take. Raises `Broken`."""
        self._target = target
        self._seconds = seconds
        self._channel = dial(target)

    def status(self) -> observer_pb2.ServerStatusResponse | Gap:
        """How many flows it keeps and has seen, over all nodes when it is Relay."""
        return self._ask(
            "ServerStatus", observer_pb2.ServerStatusRequest(), observer_pb2.ServerStatusResponse.FromString
        )

    def nodes(self) -> observer_pb2.GetNodesResponse | Gap:
        """The nodes behind Relay; agents do not offer it."""
        return self._ask("GetNodes", observer_pb2.GetNodesRequest(), observer_pb2.GetNodesResponse.FromString)

    def namespaces(self) -> observer_pb2.GetNamespacesResponse | Gap:
        """The namespaces of which flows were seen."""
        return self._ask(
            "GetNamespaces",
            observer_pb2.GetNamespacesRequest(),
            observer_pb2.GetNamespacesResponse.FromString,
        )

    def _ask(self, method: str, request: object, decode: Callable[[bytes], T]) -> T | Gap:
        import grpc

        ask = self._channel.unary_unary(
            SERVICE + method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=decode,
        )
        try:
            answer: T = ask(request, timeout=self._seconds, metadata=metadata(self._target))
        except grpc.RpcError as error:
            return broken(error, self._target.shown).gap
        return answer

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()
