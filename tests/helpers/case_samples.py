"""Two modules with processes for the screens' tests: 用印 (mockup 9) and 收文 (mockup 3), with cases at every kind of moment."""

from collections.abc import Iterator
from typing import Any

import msgspec

from desktop.core.domain import Attachment, Label, ModuleDefinition, Record
from desktop.core.domain.cases import (
    Case,
    CaseEvent,
    CaseState,
    ChosenStep,
    CurrentStep,
    NextStep,
    Refusal,
    ReturnStep,
    WorkItem,
    WorkKind,
)
from desktop.core.domain.processes import (
    Diagram,
    DiagramEdge,
    DiagramShape,
    Process,
    ProcessNote,
    ProcessState,
    ProcessStep,
    StepAction,
)
from tests.helpers.fake_session import DAY, HOUR, MINUTE, NOW
from tests.helpers.sample_module import EVERYONE, both, choice, field

SEAL, PAPER = "SampleSealRequest", "SampleIncoming"

_SEAL_TYPE: dict[str, Any] = {
    "name": SEAL,
    "label": both("用印申请", "Seal request"),
    "title": ["subject"],
    "process": "sample_seal",
    "tracked": True,
    "fields": [
        field("number", "text", "编号", "Number", readOnly=True),
        field("subject", "text", "事由", "Subject", required=True, max=200),
        field(
            "seal",
            "choice",
            "印章",
            "Seal",
            choices=[choice("office", "行政公章", "Official seal"), choice("contract", "合同专用章", "Contract seal")],
        ),
        field("copies", "number", "份数", "Copies", min=1, max=500, decimals=0),
        field("departmentId", "department", "申请部门", "Department"),
        field("papers", "files", "用印文件", "Papers"),
        field("note", "longText", "备注", "Note"),
    ],
    "states": [
        choice("draft", "草稿", "Draft"),
        choice("asked", "审批中", "Under approval", "accent"),
        choice("stamped", "已盖章", "Stamped", "green"),
        choice("refused", "未通过", "Refused", "red"),
    ],
    "sections": [{"label": both("用印", "Seal"), "fields": ["number", "subject", "seal", "copies", "departmentId"]}],
    "access": {"read": EVERYONE, "create": EVERYONE, "update": ["author@draft"], "destroy": ["author@draft"]},
}
_PAPER_TYPE: dict[str, Any] = {
    "name": PAPER,
    "label": both("收文", "Incoming document"),
    "title": ["subject"],
    "process": "sample_incoming",
    "fields": [
        field("number", "text", "收文号", "Register number", readOnly=True),
        field("subject", "text", "标题", "Title", required=True, max=300),
        field("fromUnit", "text", "来文机关", "From", required=True),
        field("docNumber", "text", "文号", "Document number"),
        field(
            "urgency",
            "choice",
            "紧急程度",
            "Urgency",
            choices=[
                choice("normal", "平件", "Normal", "accent"),
                choice("urgent", "加急", "Urgent", "amber"),
                choice("flash", "特急", "Flash", "red"),
            ],
        ),
        field("receivedOn", "date", "收文日期", "Received"),
        field("leadId", "department", "主办", "Lead"),
        field("supportIds", "departments", "协办", "Support"),
        field("body", "files", "正文", "Body"),
    ],
    "states": [
        choice("received", "已签收", "Received"),
        choice("running", "办理中", "Under way", "accent"),
        choice("archived", "已归档", "Archived", "green"),
    ],
    "sections": [
        {
            "label": both("来文", "Document"),
            "fields": ["number", "subject", "fromUnit", "docNumber", "urgency", "receivedOn", "leadId", "supportIds"],
        }
    ],
    "access": {"read": EVERYONE, "create": EVERYONE, "update": ["role:registrar"], "destroy": ["role:admin"]},
}


def case_modules() -> list[ModuleDefinition]:
    """The modules of both types, with a table view each."""
    seals = {
        "id": "sample_seals",
        "group": "office",
        "label": both("印章管理", "Seals"),
        "icon": "ph.stamp",
        "order": 17,
        "types": [_SEAL_TYPE],
        "views": [
            {
                "id": "requests",
                "type": SEAL,
                "kind": "table",
                "label": both("用印申请", "Requests"),
                "columns": ["number", "subject", "seal", "copies", "departmentId", "state"],
            }
        ],
    }
    papers = {
        "id": "sample_papers",
        "group": "office",
        "label": both("公文处理", "Documents"),
        "icon": "ph.file-text",
        "order": 8,
        "types": [_PAPER_TYPE],
        "views": [
            {
                "id": "desk",
                "type": PAPER,
                "kind": "table",
                "label": both("公文", "Documents"),
                "columns": ["subject", "fromUnit", "docNumber", "urgency", "state"],
            }
        ],
    }
    return [msgspec.convert(one, ModuleDefinition) for one in (papers, seals)]


# ------------------------------------------------------------ processes
def action(name: str, zh: str = "", en: str = "", outcome: str | None = None, opinion: str | None = None) -> StepAction:
    """A button."""
    return StepAction(name, outcome, Label(zh, en) if zh else None, opinion)


APPROVE, RETURN = action("approve"), action("return", opinion="required")
USUAL = (APPROVE, RETURN, action("transfer"), action("addSignerBefore"), action("addSignerAfter"))
INSTRUCT = (
    action("approve", "签批并流转", "Sign and pass on"),
    action("addSignerBefore", "加签", "Add signer"),
    action("transfer"),
    RETURN,
    action("urge"),
)
STAMP = (
    action("approve", "已盖章", "Stamped", "stamped"),
    action("refuse", "放弃", "Abandoned", "abandoned", "required"),
)


ENGLISH = {
    "申请": "Apply",
    "部门领导审批": "Head of department",
    "部门领导": "Head",
    "办公室主任审核": "General Office",
    "办公室主任": "Office",
    "用印登记": "Stamp",
    "签收": "Sign for it",
    "登记": "Register",
    "拟办": "Propose",
    "批办": "Instruct",
    "会签": "Countersign",
    "承办": "Handle",
    "传阅": "Circulate",
    "注结 · 归档": "Conclude and file",
    "份数>2": "over 2",
    "退回": "Return",
}


def in_both(zh: str) -> Label | None:
    """What a step or an arrow is called, where it is called anything."""
    return Label(zh, ENGLISH[zh]) if zh else None


def _step(key: str, zh: str, text: str, actions: tuple[StepAction, ...] = USUAL, **more: Any) -> ProcessStep:
    return ProcessStep(key, zh, performers_text=text, actions=actions, label=in_both(zh), **more)


SEAL_STEPS = (
    _step("apply", "申请", "发起人", (action("submit"),), performers=("starter",), editable=("*",)),
    _step(
        "head",
        "部门领导审批",
        "发起人部门负责人（当时）",
        performers=("departmentHead",),
        limit="1d",
        urge_after="0h",
        escalate_after="1d",
        opinion="onReturn",
        editable=("copies", "papers"),
        skip_repeated=True,
        state="asked",
    ),
    _step("office", "办公室主任审核", "岗位:办公室主任", performers=("post:办公室主任",), limit="1d"),
    _step("stamp", "用印登记", "所选印章的管理员", STAMP, performers=("rule:keepers",), signature="onApprove"),
)
PAPER_STEPS = (
    _step("receive", "签收", "收发室", performers=("role:registrar",)),
    _step("register", "登记", "收发室", performers=("role:registrar",)),
    _step(
        "propose", "拟办", "岗位:办公室主任", performers=("post:办公室主任",), opinion="required", chooses=("instruct",)
    ),
    _step("instruct", "批办", "拟办人所选", INSTRUCT, performers=("chosen",), limit="4h", signature="onApprove"),
    _step("countersign", "会签", "依次", performers=("field:signers",), count="all", order="sequential"),
    _step("undertake", "承办", "主办科室负责人", performers=("head:leadId",), limit="3d", required=("number",)),
    _step("circulate", "传阅", "指定人员", (action("read"),), performers=("chosen",), kind="read", count="all"),
    _step("file", "注结 · 归档", "档案室", performers=("post:档案室/管理员",)),
)


def seal_diagram() -> Diagram:
    """The mockup's: four steps, a gateway that may pass the office by, an arrow back."""
    y, h = 120.0, 56.0
    shapes = {
        "start": DiagramShape("startEvent", "", 10, y + 12, 30, 30),
        "end": DiagramShape("endEvent", "", 660, y + 12, 30, 30),
    }
    for key, x, name in (
        ("apply", 75, "申请"),
        ("head", 205, "部门领导"),
        ("office", 410, "办公室主任"),
        ("stamp", 535, "用印登记"),
    ):
        shapes[key] = DiagramShape("userTask", name, x, y, 96, h, in_both(name))
    shapes["gate"] = DiagramShape("exclusiveGateway", "", 330, y + 4, 46, 46)
    middle = y + 27
    flows = (
        ("start", 40, 75),
        ("apply", 171, 205),
        ("head", 301, 330),
        ("gate", 376, 410),
        ("office", 506, 535),
        ("stamp", 631, 660),
    )
    over = in_both("份数>2")
    edges = {
        f"f{n}": DiagramEdge(
            over.zh if over and key == "gate" else "", ((a, middle), (b, middle)), label=over if key == "gate" else None
        )
        for n, (key, a, b) in enumerate(flows, 1)
    }
    edges["skip"] = DiagramEdge("", ((353, y + 50), (353, y + 112), (583, y + 112), (583, y + h)))
    edges["back"] = DiagramEdge("退回", ((253, y), (253, y - 36), (123, y - 36), (123, y)), "return", in_both("退回"))
    return Diagram(720, 260, shapes, edges)


def paper_diagram() -> Diagram:
    """A straight line of eight steps."""
    shapes = {"start": DiagramShape("startEvent", "", 10, 38, 30, 30)}
    edges: dict[str, DiagramEdge] = {}
    x, before = 70.0, 40.0
    for step in PAPER_STEPS:
        shapes[step.id] = DiagramShape("userTask", step.name, x, 25, 96, 56, step.label)
        edges[f"to_{step.id}"] = DiagramEdge("", ((before, 53.0), (x, 53.0)))
        x, before = x + 130, x + 96
    shapes["end"] = DiagramShape("endEvent", "", x, 38, 30, 30)
    edges["to_end"] = DiagramEdge("", ((before, 53.0), (x, 53.0)))
    return Diagram(x + 50, 110, shapes, edges)


def sample_processes() -> list[Process]:
    """Seals: version 3 runs, version 4 is a draft with a note; documents: version 1."""
    seal = Process(
        "p-seal-3",
        "sample_seal",
        "sample_seals",
        SEAL,
        3,
        ProcessState.PUBLISHED,
        "用印申请",
        SEAL_STEPS,
        seal_diagram(),
        running_cases=12,
        published_at=NOW - 40 * DAY,
        published_by_id="zhangmin",
    )
    note = ProcessNote(
        "head", "assignee", "camunda:assignee 已改为 departmentHead", "camunda:assignee became departmentHead"
    )
    draft = msgspec.structs.replace(
        seal,
        id="p-seal-4",
        version=4,
        state=ProcessState.DRAFT,
        notes=(note,),
        running_cases=0,
        published_at=None,
        published_by_id=None,
    )
    paper = Process(
        "p-paper-1",
        "sample_incoming",
        "sample_papers",
        PAPER,
        1,
        ProcessState.PUBLISHED,
        "收文办理",
        PAPER_STEPS,
        paper_diagram(),
        running_cases=6,
        published_at=NOW - 90 * DAY,
        published_by_id="zhangmin",
    )
    return [seal, draft, paper]


SEAL_STEP_LIST: dict[str, Any] = {
    "id": "sample_seal",
    "name": "用印申请",
    "steps": [
        {"type": "step", "id": "apply", "name": "申请", "options": {"performers": ["starter"], "editable": ["*"]}},
        {
            "type": "step",
            "id": "head",
            "name": "部门领导审批",
            "options": {"performers": ["departmentHead"], "limit": "1d", "opinion": "onReturn"},
        },
        {
            "type": "branch",
            "id": "gate",
            "name": "",
            "choices": [
                {
                    "condition": "record.copies > 2",
                    "name": "份数>2",
                    "steps": [
                        {
                            "type": "step",
                            "id": "office",
                            "name": "办公室主任审核",
                            "options": {"performers": ["post:办公室主任"]},
                        }
                    ],
                }
            ],
            "otherwise": {"steps": []},
        },
        {"type": "step", "id": "stamp", "name": "用印登记", "options": {"performers": ["rule:keepers"]}},
        {"type": "end", "id": "done", "name": "归档", "state": "stamped"},
    ],
}


# ------------------------------------------------------------ records
def file(name: str, blob: str, size: int = 182_400) -> dict[str, Any]:
    """An attachment in wire form."""
    kind = "application/pdf" if name.endswith("pdf") else "application/ofd"
    return {"blobId": blob, "name": name, "type": kind, "size": size}


def _paper(key: str, subject: str, unit: str, sign: str, urgency: str, state: str = "running", **more: Any) -> Record:
    data = {"subject": subject, "fromUnit": unit, "docNumber": sign, "urgency": urgency, "state": state, **more}
    return Record(key, PAPER, data, "liuyang", NOW - 2 * DAY, NOW - 2 * HOUR, 5)


def case_records() -> Iterator[Record]:
    """Four seal requests and seven documents."""
    asked = {"seal": "contract", "copies": 3, "departmentId": "d8", "state": "asked"}
    yield Record(
        "s1",
        SEAL,
        {
            **asked,
            "number": "YY-2026-031",
            "subject": "防汛物资采购合同用印",
            "departmentId": "d2",
            "papers": [file("防汛物资采购合同.pdf", "blob-contract")],
        },
        "linyuan",
        NOW - 5 * HOUR,
        NOW - 4 * HOUR,
        2,
    )
    yield Record(
        "s2",
        SEAL,
        {**asked, "number": "YY-2026-032", "subject": "三季度决算报表用印", "seal": "office", "departmentId": "d5"},
        "ouyangxue",
        NOW - 3 * HOUR,
        NOW - 3 * HOUR,
        2,
    )
    yield Record(
        "s3",
        SEAL,
        {**asked, "number": "YY-2026-029", "subject": "车辆维修协议用印", "departmentId": "d2"},
        "linyuan",
        NOW - DAY,
        NOW - HOUR,
        4,
    )
    yield Record(
        "s4", SEAL, {**asked, "subject": "值班室租赁合同用印", "state": "draft"}, "linyuan", NOW - HOUR, NOW - HOUR, 1
    )
    body = [file("苏水防〔2026〕18号.pdf", "blob-18", 421_000), file("附件 值班表样式.ofd", "blob-18a")]
    yield _paper(
        "d1",
        "关于做好 2026 年防汛值班工作的通知",
        "省水利厅",
        "苏水防〔2026〕18号",
        "flash",
        number="收文 2026-0412",
        body=body,
    )
    yield _paper(
        "d2",
        "关于开展档案数字化检查的函",
        "市档案局",
        "市档函〔2026〕7号",
        "normal",
        leadId="d7",
        number="收文 2026-0409",
    )
    yield _paper(
        "d3", "关于报送三季度督办事项的通知", "市政府办", "市政办〔2026〕41号", "urgent", number="收文 2026-0405"
    )
    yield _paper(
        "d4", "全市政务公开工作要点", "市政府办", "市政发〔2026〕12号", "normal", "archived", number="收文 2026-0377"
    )
    yield _paper(
        "d5", "关于报送水库安全度汛自查情况的通知", "省水利厅", "苏水管〔2026〕55号", "urgent", number="收文 2026-0410"
    )
    yield _paper(
        "d6", "关于联合开展河道采砂检查的函", "市公安局", "市公函〔2026〕23号", "normal", number="收文 2026-0401"
    )
    yield _paper(
        "d7", "关于核对水费收缴数据的通知", "市财政局", "市财农〔2026〕19号", "urgent", number="收文 2026-0388"
    )


# ------------------------------------------------------------ cases, items, events
def _case(record: str, title: str, step: str, **more: Any) -> Case:
    seal = record.startswith("s")
    steps = [one.id for one in (SEAL_STEPS if seal else PAPER_STEPS)]
    names = {one.id: one.name for one in (*SEAL_STEPS, *PAPER_STEPS)}
    at = steps.index(step) if step in steps else len(steps)
    held = tuple(msgspec.structs.replace(one, label=in_both(one.name)) for one in more.pop("now", ()))
    return Case(
        f"c-{record}",
        SEAL if seal else PAPER,
        record,
        "sample_seals" if seal else "sample_papers",
        "sample_seal" if seal else "sample_incoming",
        3 if seal else 1,
        title,
        now=held,
        next=tuple(
            NextStep(one, names[one], more.get("people", {}).get(one, ()), in_both(names[one]))
            for one in steps[at + 1 :]
        ),
        done=tuple(steps[:at]),
        **{key: value for key, value in more.items() if key != "people"},
    )


def sample_cases() -> Iterator[Case]:
    """One for each submitted record."""
    yield _case(
        "s1",
        "防汛物资采购合同用印",
        "head",
        started_by_id="linyuan",
        started_at=NOW - 4 * HOUR,
        department_id="d2",
        now=(CurrentStep("head", "部门领导审批", NOW - 4 * HOUR, NOW + 4 * HOUR, NOW + 2 * HOUR, ("zhangmin",)),),
        actions=(action("withdraw"), action("urge")),
        people={"office": ("zhangmin",), "stamp": ("hejing",)},
        durations={"apply": 20},
    )
    yield _case(
        "s2",
        "三季度决算报表用印",
        "head",
        started_by_id="ouyangxue",
        started_at=NOW - 3 * HOUR,
        department_id="d5",
        now=(
            CurrentStep(
                "head",
                "部门领导审批",
                NOW - 3 * HOUR,
                NOW + 5 * HOUR,
                NOW + 3 * HOUR,
                ("linyuan",),
                {"linyuan": "wangjianguo"},
            ),
        ),
        durations={"apply": 3},
    )
    yield _case(
        "s3",
        "车辆维修协议用印",
        "apply",
        started_by_id="linyuan",
        started_at=NOW - DAY,
        department_id="d2",
        now=(CurrentStep("apply", "申请", NOW - HOUR, None, None, ("linyuan",)),),
        durations={"apply": 15, "head": 190},
    )
    yield _case(
        "d1",
        "关于做好 2026 年防汛值班工作的通知",
        "instruct",
        started_by_id="liuyang",
        started_at=NOW - 2 * DAY,
        department_id="d6",
        now=(CurrentStep("instruct", "批办", NOW - 2 * HOUR, NOW + 2 * HOUR, NOW + HOUR, ("linyuan",)),),
        people={
            "undertake": ("lixiaoming",),
            "circulate": tuple("zhangmin wufang wangjianguo liuyang chenjing zhaolei hejing zhouhai sunli".split()),
        },
        durations={"receive": 1, "register": 9, "propose": 25},
    )
    yield _case(
        "d2",
        "关于开展档案数字化检查的函",
        "undertake",
        started_by_id="liuyang",
        started_at=NOW - 3 * DAY,
        department_id="d6",
        now=(CurrentStep("undertake", "承办", NOW - DAY, NOW + 2 * DAY, NOW + DAY, ("linyuan",)),),
        durations={"instruct": 60},
    )
    yield _case(
        "d3",
        "关于报送三季度督办事项的通知",
        "circulate",
        started_by_id="liuyang",
        started_at=NOW - 4 * DAY,
        department_id="d6",
        now=(CurrentStep("circulate", "传阅", NOW - DAY, None, None, ("linyuan", "sunli", "zhaolei", "hejing")),),
    )
    yield _case(
        "d4",
        "全市政务公开工作要点",
        "",
        started_by_id="liuyang",
        started_at=NOW - 20 * DAY,
        ended_at=NOW - 9 * DAY,
        end_state="archived",
        state=CaseState.COMPLETED,
        department_id="d6",
    )
    yield _case(
        "d5",
        "关于报送水库安全度汛自查情况的通知",
        "undertake",
        started_by_id="liuyang",
        started_at=NOW - DAY,
        department_id="d6",
        now=(CurrentStep("undertake", "承办", NOW - 10 * MINUTE, NOW + 3 * DAY, NOW + 2 * DAY, ("wangjianguo",)),),
    )
    yield _case(
        "d6",
        "关于联合开展河道采砂检查的函",
        "countersign",
        started_by_id="liuyang",
        started_at=NOW - 5 * DAY,
        department_id="d6",
        now=(CurrentStep("countersign", "会签", NOW - DAY, NOW + HOUR, NOW - HOUR, ("linyuan", "wangjianguo")),),
    )
    yield _case(
        "d7",
        "关于核对水费收缴数据的通知",
        "undertake",
        started_by_id="liuyang",
        started_at=NOW - 9 * DAY,
        department_id="d6",
        now=(CurrentStep("undertake", "承办", NOW - 6 * DAY, NOW - DAY, NOW - 2 * DAY, ("linyuan", "wufang")),),
    )


def _item(record: str, step: ProcessStep, title: str, person: str | None = "linyuan", **more: Any) -> WorkItem:
    seal = record.startswith("s")
    return WorkItem(
        more.pop("id", f"w-{record}-{person or 'shared'}"),
        f"c-{record}",
        SEAL if seal else PAPER,
        record,
        "sample_seals" if seal else "sample_papers",
        title,
        step.id,
        step.name,
        WorkKind(step.kind),
        person_id=person,
        actions=more.pop("actions", step.actions),
        opinion=step.opinion,
        signature=step.signature,
        editable=step.editable,
        required=step.required,
        step_label=step.label,
        **more,
    )


def sample_items() -> Iterator[WorkItem]:
    """林远 has five to handle (one for another, one shared, one overdue, one returned to him), one to read; others have theirs."""
    step = {one.id: one for one in (*SEAL_STEPS, *PAPER_STEPS)}
    back = (ReturnStep("propose", "拟办", "zhangmin"), ReturnStep("register", "登记", "liuyang"))
    yield _item(
        "s1", step["head"], "防汛物资采购合同用印", "zhangmin", created_at=NOW - 4 * HOUR, due_at=NOW + 4 * HOUR
    )
    yield _item(
        "s1",
        step["apply"],
        "防汛物资采购合同用印",
        id="w-s1-apply",
        state="done",
        created_at=NOW - 5 * HOUR,
        done_at=NOW - 4 * HOUR,
        actions=(action("submit"),),
    )
    yield _item(
        "s2",
        step["head"],
        "三季度决算报表用印",
        on_behalf_of_id="wangjianguo",
        created_at=NOW - 3 * HOUR,
        due_at=NOW + 5 * HOUR,
        amber_at=NOW + 3 * HOUR,
        return_to=(ReturnStep("apply", "申请", "ouyangxue"),),
    )
    yield _item("s3", step["apply"], "车辆维修协议用印", created_at=NOW - HOUR)
    yield _item(
        "d1",
        step["instruct"],
        "关于做好 2026 年防汛值班工作的通知",
        created_at=NOW - 2 * HOUR,
        due_at=NOW + 2 * HOUR,
        amber_at=NOW + HOUR,
        return_to=back,
        chooses=(ChosenStep("undertake", "承办"),),
        read_at=NOW - HOUR,
    )
    yield _item(
        "d2",
        step["undertake"],
        "关于开展档案数字化检查的函",
        created_at=NOW - DAY,
        due_at=NOW + 2 * DAY,
        return_to=back,
    )
    yield _item("d3", step["circulate"], "关于报送三季度督办事项的通知", created_at=NOW - DAY, added_by_id="zhangmin")
    yield _item(
        "d4",
        step["instruct"],
        "全市政务公开工作要点",
        state="done",
        created_at=NOW - 15 * DAY,
        done_at=NOW - 14 * DAY,
        actions=(),
    )
    yield _item(
        "d5",
        step["propose"],
        "关于报送水库安全度汛自查情况的通知",
        "wufang",
        id="w-d5",
        state="done",
        candidate_ids=("linyuan", "wufang"),
        created_at=NOW - DAY,
        done_at=NOW - 10 * MINUTE,
        actions=(),
    )
    yield _item(
        "d6",
        step["countersign"],
        "关于联合开展河道采砂检查的函",
        "wufang",
        state="done",
        created_at=NOW - DAY,
        done_at=NOW - 4 * HOUR,
    )
    yield _item(
        "d6",
        step["countersign"],
        "关于联合开展河道采砂检查的函",
        created_at=NOW - 4 * HOUR,
        due_at=NOW + HOUR,
        amber_at=NOW - HOUR,
        return_to=back,
        urged_at=NOW - 20 * MINUTE,
    )
    yield _item(
        "d7",
        step["undertake"],
        "关于核对水费收缴数据的通知",
        None,
        candidate_ids=("linyuan", "wufang"),
        created_at=NOW - 6 * DAY,
        due_at=NOW - DAY,
        amber_at=NOW - 2 * DAY,
    )


def sample_events() -> Iterator[CaseEvent]:
    """The histories; that of d1 is the mockup's."""
    names = {one.id: one.name for one in (*SEAL_STEPS, *PAPER_STEPS)}
    seqs: dict[str, int] = {}

    def event(record: str, act: str, step: str, who: str | None, at: int, opinion: str = "", **more: Any) -> CaseEvent:
        seqs[record] = seqs.get(record, 0) + 1
        kind = SEAL if record.startswith("s") else PAPER
        return CaseEvent(
            f"e-{record}-{seqs[record]}",
            f"c-{record}",
            kind,
            record,
            None,
            act,
            step_id=step,
            step_name=names.get(step, ""),
            person_id=who,
            opinion=opinion,
            at=at,
            seq=seqs[record],
            step_label=in_both(names.get(step, "")),
            **more,
        )

    yield event("s1", "submit", "apply", "linyuan", NOW - 4 * HOUR, "合同已经法务看过,请审批。")
    yield event("s2", "submit", "apply", "ouyangxue", NOW - 3 * HOUR)
    yield event("s2", "delegate", "head", None, NOW - 3 * HOUR, to=("linyuan",), on_behalf_of_id="wangjianguo")
    yield event("s3", "submit", "apply", "linyuan", NOW - DAY)
    yield event("s3", "return", "head", "zhangmin", NOW - HOUR, "份数与合同不符,请核实后重报。", to_step_id="apply")
    morning = NOW - 2 * DAY - 2 * HOUR - 14 * MINUTE
    yield event("d1", "approve", "receive", "liuyang", morning)
    yield event("d1", "approve", "register", "liuyang", morning + 9 * MINUTE, "收文 2026-0412")
    yield event(
        "d1",
        "approve",
        "propose",
        "zhangmin",
        morning + 34 * MINUTE,
        "请林局批示,防汛办主办",
        chosen={"instruct": ("linyuan",)},
        attachments=(Attachment("blob-note", "拟办单.pdf", "application/pdf", 66_000),),
        signature="blob-sign-zhang",
    )
    for record, days in (("d2", 3), ("d3", 4), ("d4", 20), ("d5", 1), ("d6", 5), ("d7", 9)):
        yield event(record, "approve", "receive", "liuyang", NOW - days * DAY)
        yield event(record, "approve", "register", "liuyang", NOW - days * DAY + 10 * MINUTE)
        yield event(record, "approve", "propose", "wufang", NOW - days * DAY + HOUR, "请按职责办理。")
    yield event(
        "d3", "circulate", "instruct", "zhouhai", NOW - DAY, "请各科室传阅。", to=("linyuan", "sunli", "zhaolei")
    )
    for who, at in (("zhangmin", 9), ("wufang", 8), ("wangjianguo", 6), ("liuyang", 4), ("chenjing", 2)):
        yield event("d3", "read", "circulate", who, NOW - at * HOUR, "已阅" if who == "zhangmin" else "")
    yield event("d4", "approve", "instruct", "linyuan", NOW - 14 * DAY, "请办公室落实。")
    yield event("d4", "end", "file", None, NOW - 9 * DAY)
    yield event("d6", "approve", "countersign", "wufang", NOW - 4 * HOUR, "同意。")
    yield event("d6", "urge", "countersign", "zhangmin", NOW - 20 * MINUTE, "今天下班前要回函。", to=("linyuan",))
    yield event("d7", "timeout", "undertake", None, NOW - DAY)
    yield event("d7", "escalate", "undertake", None, NOW - DAY + HOUR, to=("zhouhai",))


def sample_refused() -> CaseEvent:
    """What 林远 typed with the cable out for d5, where 吴芳 was faster."""
    faster = Refusal("overtaken", "wufang", NOW - 10 * MINUTE, "approve", step_names=(Label("承办", "Handle"),))
    return CaseEvent(
        "x-d5",
        "c-d5",
        PAPER,
        "d5",
        "w-d5",
        "approve",
        step_id="propose",
        step_name="拟办",
        person_id="linyuan",
        opinion="请防汛办牵头,各水管所本周五前报自查表。",
        attachments=(Attachment("blob-form", "自查表.xlsx", "application/vnd.ms-excel", 20_480),),
        at=NOW - 8 * MINUTE,
        refusal=faster,
    )
