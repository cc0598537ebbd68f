"""Steps for people: their options, ours where the file has them, else guessed from what the modeller said; instances taken off into tongban:many."""

from server_stub.workflow.bpmn_xml import TONGBAN, Element, extension, id_of, local
from server_stub.workflow.draft import PEOPLE_TASKS, Draft, title_of
from server_stub.workflow.foreign_options import from_lane, limit_of, performers_of
from server_stub.workflow.normalise_ids import lanes_of
from server_stub.workflow.normalise_many import take_many
from server_stub.workflow.options import StepOptions
from server_stub.workflow.options_xml import BadOptions, load_label, load_options, write_many, write_options
from server_stub.workflow.process_file import Many


def normalise_steps(draft: Draft) -> None:
    """All steps of the draft get a tongban:step."""
    lanes = lanes_of(draft)
    for task in draft.nodes(*PEOPLE_TASKS):
        try:
            options = load_options(task)
            many = take_many(draft, task)
        except BadOptions as error:
            what = title_of(task)
            draft.refuse(task, "badOptions", f"环节“{what}”的设置有误：{error}", f"the options of {what}: {error}")
            continue
        if options is None:
            options = _guess(draft, task, many, lanes.get(id_of(task)))
        if many is not None:
            write_many(task, many)
        write_options(task, options)
    for end in draft.nodes("endEvent"):
        state = extension(end, "end", TONGBAN)
        if local(end.getparent()) != "process" and state is not None:
            state.getparent().remove(state)


def _guess(draft: Draft, task: Element, many: Many | None, lane: str | None) -> StepOptions:
    name = title_of(task)
    marked = task.attrib.pop("_all", None)  # take_many saw instances of nothing: all performers
    performers = performers_of(draft.root, task, many.variable if many else None)
    if performers:
        words = "、".join(performers)
        draft.note(task, "performers", f"“{name}”的办理人：{words}", f"performers: {', '.join(performers)}")
    elif many is None:
        performers = from_lane(lane)
        if performers:
            zh, en = f"“{name}”按泳道由 {performers[0]} 办理", f"its lane says {performers[0]}"
            draft.note(task, "performersFromLane", zh, en)
        else:
            zh, en = f"“{name}”没有写明办理人，交管理员", "nobody is named; role:admin has it"
            draft.note(task, "noPerformers", zh, en)
    limit, written = limit_of(task)
    if limit:
        draft.note(task, "limit", f"“{name}”的时限 {written} 记为 {limit}", f"the due date {written} became {limit}")
    elif written:
        draft.note(task, "limitDropped", f"“{name}”的时限 {written} 不予采用", f"the due date {written} is not used")
    all_of_them = marked is not None or many is not None
    return StepOptions(
        performers=performers,
        limit=limit,
        count="all" if all_of_them else "one",
        label=load_label(task),
        order="sequential" if marked == "sequential" or (many is not None and many.sequential) else "parallel",
    )
