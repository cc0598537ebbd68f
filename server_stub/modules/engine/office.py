"""All of the office in one value: handlers for the registry, definitions as synced records, the task of due dates."""

from typing import Final

from server_stub.clock import Clock
from server_stub.modules.engine.alerts import OFFICE, AlertHandler
from server_stub.modules.engine.context import Blobs, OfficeContext, SystemVoice
from server_stub.modules.engine.definition import ModuleDefinition
from server_stub.modules.engine.duties import DutyRunner
from server_stub.modules.engine.loader import load_definitions, make_handlers
from server_stub.modules.engine.marks import ReadMarkHandler
from server_stub.modules.engine.rules import Rules
from server_stub.records.handler import RecordHandler
from server_stub.records.store import do_create_record, do_destroy_record, do_update_record, load_records_of_type
from server_stub.records.visibility import EVERYONE, scope_id
from server_stub.storage.database import Database, Tx

MODULE_DEFINITION: Final = "ModuleDefinition"


class Office:
    """The modules of one server.

    Attributes:
        definitions: in the order of the workbench.
        handlers: every office type: those of the modules, ReadMark, Alert, ModuleDefinition.
    """

    def __init__(self, database: Database, clock: Clock, blobs: Blobs, say: SystemVoice) -> None:
        self.definitions: list[ModuleDefinition] = load_definitions()
        self._database = database
        of_modules = make_handlers(self.definitions, OfficeContext(blobs=blobs, clock=clock, say=say))
        self._rules = {handler.name: handler.rules for handler in of_modules}
        self.handlers: list[RecordHandler] = [
            *of_modules,
            ReadMarkHandler(self.rules_of),
            AlertHandler(),
            RecordHandler(MODULE_DEFINITION, OFFICE),
        ]
        self._duties = DutyRunner(database, clock, self.rules_of)

    def rules_of(self, type_name: str) -> Rules | None:
        """The rules of a module's type, None for any other."""
        return self._rules.get(type_name)

    async def start(self) -> None:
        """Bring the synced definitions in line with the folders; once at the start of the server."""
        await self._database.write(self.do_publish_definitions)

    async def run(self) -> None:
        """Handle due dates for ever: the owner keeps this in a TaskGroup and cancels it at the end."""
        await self._duties.run()

    def do_publish_definitions(self, tx: Tx) -> None:
        """Create, update and destroy ModuleDefinition records so that they say what the folders say."""
        held = {record.id: record for record in load_records_of_type(tx.conn, MODULE_DEFINITION)}
        for module in self.definitions:
            data = module.to_object()
            record = held.pop(module.id, None)
            if record is None:
                do_create_record(tx, MODULE_DEFINITION, module.id, data, scopes=[scope_id(tx, *EVERYONE)])
            elif record.data != data:
                do_update_record(tx, record, data)
        for gone in held:
            do_destroy_record(tx, gone)
