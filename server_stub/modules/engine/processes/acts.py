"""What each action does to a case in hand. Rights, words and fields have been looked at; what an act sets off is settled by rounds.py."""

from collections.abc import Callable
from typing import Final

from server_stub.modules.engine.processes.acts_back import do_withdraw
from server_stub.modules.engine.processes.acts_case import do_resume, do_suspend, do_terminate, do_urge
from server_stub.modules.engine.processes.acts_people import do_add_after, do_ask_first, do_circulate, do_transfer
from server_stub.modules.engine.processes.acts_step import do_approve, do_refuse, do_return
from server_stub.modules.engine.processes.doing import Doing

Effect = Callable[[Doing], None]
EFFECTS: Final[dict[str, Effect]] = {
    "submit": do_approve,
    "approve": do_approve,
    "read": do_approve,
    "refuse": do_refuse,
    "return": do_return,
    "withdraw": do_withdraw,
    "transfer": do_transfer,
    "addSignerBefore": do_ask_first,
    "countersign": do_ask_first,
    "addSignerAfter": do_add_after,
    "circulate": do_circulate,
    "urge": do_urge,
    "suspend": do_suspend,
    "resume": do_resume,
    "terminate": do_terminate,
}
