"""A JMAP request in, a response out (RFC 8620 §3). Knows no transport; calls run in order, runs of reads share one snapshot."""

import logging
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.api.allowance import Allowance
from server_stub.api.methods import (
    READ_METHODS,
    Arguments,
    Set,
    call_own,
    check_import,
    check_set,
    count_set,
    cut_set,
    import_objects,
    may_write,
    nothing_set,
    own_method,
    refuse_rest,
    set_objects,
)
from server_stub.api.references import Answer, resolve_arguments
from server_stub.api.wire import Call, Limits, Request, decode_request
from server_stub.errors import MethodError, MethodErrorType, RequestError, RequestErrorType, StorageFailed
from server_stub.records.actor import READ_SCOPE, Actor
from server_stub.records.types import OwnMethod, Registry, TypeHandler
from server_stub.storage.database import Database

log = logging.getLogger("tongban.api")

CORE: Final = "urn:ietf:params:jmap:core"
encode: Final = msgspec.json.Encoder().encode


class Dispatcher:
    """Runs requests against the registered types.

    Attributes:
        capabilities: every URN a request may name in `using`.
        session_state: what responses carry as sessionState.
    """

    def __init__(
        self,
        database: Database,
        registry: Registry,
        capabilities: Sequence[str],
        limits: Limits,
        allowance: Allowance | None = None,
    ) -> None:
        self._database = database
        self._allowance = allowance or Allowance()
        self._registry = registry
        self.capabilities = frozenset((CORE, *capabilities))
        self.limits = limits
        self.session_state = "0"

    async def handle_bytes(self, data: bytes, actor: Actor) -> bytes:
        """A request body as bytes, the response as JSON.

        Raises:
            RequestError: the request as a whole is refused.
        """
        return encode(await self.handle_request(decode_request(data, self.limits), actor))

    async def handle_request(self, request: Request, actor: Actor) -> dict[str, Any]:
        """The Response object for a decoded request.

        Raises:
            RequestError: unknownCapability.
        """
        unknown = set(request.using) - self.capabilities
        if unknown:
            raise RequestError(
                RequestErrorType.UNKNOWN_CAPABILITY, f"not known here: {', '.join(sorted(unknown))[:200]}"
            )
        run = _Run(self._registry, frozenset(request.using), actor, self.limits, dict(request.created_ids or {}))
        calls = request.method_calls
        position = 0
        while position < len(calls):
            count = run.count_reads(calls[position:])
            if count:
                await self._read(run, calls[position : position + count])
                position += count
            else:
                await self._write(run, calls[position])
                position += 1
        response: dict[str, Any] = {"methodResponses": run.answers, "sessionState": self.session_state}
        if request.created_ids is not None:
            response["createdIds"] = run.created
        return response

    async def _read(self, run: "_Run", calls: Sequence[Call]) -> None:
        def work(conn: sa.Connection) -> None:
            for call in calls:
                run.read(conn, call)

        if all(run.needs_no_data(call) for call in calls):
            for call in calls:
                run.answer_plainly(call)
            return
        try:
            await self._database.read(work)
        except StorageFailed as problem:
            self._fail_all(run, calls, problem)

    async def _write(self, run: "_Run", call: Call) -> None:
        name, arguments, call_id = call
        handler = run.handler(name)
        assert handler is not None
        try:
            given = resolve_arguments(arguments, run.answers)
            known = dict(run.created)
            own = own_method(handler, name.partition("/")[2])
            if own is not None:
                answer = await self._own(own, run.actor, given)
            elif name.endswith("/import"):
                answer = await self._import(handler, run.actor, given, known)
            else:
                answer = await self._set(handler, run.actor, check_set(given, run.actor, self.limits), known)
        except MethodError as problem:
            run.fail(call_id, problem)
        except StorageFailed as problem:
            self._fail_all(run, [call], problem)
        except Exception:  # border: a bug in one method must not take the connection along
            log.exception("%s failed", name)
            run.fail(call_id, MethodError(MethodErrorType.SERVER_FAIL))
        else:
            run.created = known
            run.answers.append((name, answer, call_id))

    async def _set(self, handler: TypeHandler, actor: Actor, args: Set, known: dict[str, str]) -> Arguments:
        """The objects the person's rate allows, in their order; the others are told to come later."""
        wanted = count_set(args)
        allowed = self._allowance.take(actor.person_id, wanted)
        if allowed == wanted:
            return await self._database.write(lambda tx: set_objects(tx, handler, actor, args, known))
        rest = cut_set(args, allowed)
        if allowed:
            answer = await self._database.write(lambda tx: set_objects(tx, handler, actor, args, known))
        else:  # a flood must not keep the one writer busy
            answer = await self._database.read(lambda conn: nothing_set(conn, actor))
        refuse_rest(answer, rest, self._allowance.refusal(actor.person_id))
        return answer

    async def _import(
        self, handler: TypeHandler, actor: Actor, arguments: Arguments, known: dict[str, str]
    ) -> Arguments:
        """All objects or none, in one transaction; counts as one write."""
        args = check_import(arguments, actor)
        if not self._allowance.take(actor.person_id, 1):
            refused = dict.fromkeys(args.create, self._allowance.refusal(actor.person_id).to_object())
            return {"accountId": actor.person_id, "created": {}, "notCreated": refused}
        return await self._database.write(lambda tx: import_objects(tx, handler, actor, args, known))

    async def _own(self, method: OwnMethod, actor: Actor, arguments: Arguments) -> Arguments:
        """A method that only one type has; counts as one write."""
        if not self._allowance.take(actor.person_id, 1):
            return {"accountId": actor.person_id, "refused": self._allowance.refusal(actor.person_id).to_object()}
        return await call_own(method, actor, arguments)

    def _fail_all(self, run: "_Run", calls: Sequence[Call], problem: StorageFailed) -> None:
        log.error("storage failed under %d calls: %s", len(calls), problem)
        for _, _, call_id in calls:
            run.fail(call_id, MethodError(MethodErrorType.SERVER_UNAVAILABLE))


class _Run:
    """One request being answered."""

    def __init__(
        self, registry: Registry, using: frozenset[str], actor: Actor, limits: Limits, created: dict[str, str]
    ) -> None:
        self._registry = registry
        self._using = using
        self.actor = actor
        self._limits = limits
        self.created = created
        self.answers: list[Answer] = []

    def handler(self, name: str) -> TypeHandler | None:
        """The type a method belongs to, None when the request may not use it."""
        handler = self._registry.get(name.partition("/")[0])
        return handler if handler is not None and handler.capability in self._using else None

    def count_reads(self, calls: Sequence[Call]) -> int:
        """How many calls from here on write nothing."""
        for count, (name, _, _) in enumerate(calls):
            handler = self.handler(name)
            if handler is not None and may_write(handler, name.partition("/")[2]):
                return count
        return len(calls)

    def needs_no_data(self, call: Call) -> bool:
        """Whether the call is answered without the database."""
        return self.handler(call[0]) is None

    def answer_plainly(self, call: Call) -> None:
        """Core/echo, or unknownMethod."""
        name, arguments, call_id = call
        if name != "Core/echo" or CORE not in self._using:
            self.fail(call_id, MethodError(MethodErrorType.UNKNOWN_METHOD))
            return
        try:
            self.answers.append((name, resolve_arguments(arguments, self.answers), call_id))
        except MethodError as problem:
            self.fail(call_id, problem)

    def read(self, conn: sa.Connection, call: Call) -> None:
        """Answer one call that only reads."""
        name, arguments, call_id = call
        handler = self.handler(name)
        method = READ_METHODS.get(name.partition("/")[2])
        if handler is None or method is None:
            self.answer_plainly(call)
            return
        try:
            if not self.actor.may(READ_SCOPE):
                raise MethodError(MethodErrorType.FORBIDDEN, "the token may not read")
            answer = method(conn, handler, self.actor, resolve_arguments(arguments, self.answers), self._limits)
        except MethodError as problem:
            self.fail(call_id, problem)
        except Exception:  # border: a bug in one method must not take the connection along
            log.exception("%s failed", name)
            self.fail(call_id, MethodError(MethodErrorType.SERVER_FAIL))
        else:
            self.answers.append((name, answer, call_id))

    def fail(self, call_id: str, problem: MethodError) -> None:
        """Answer a call with an error."""
        self.answers.append(("error", problem.to_arguments(), call_id))
