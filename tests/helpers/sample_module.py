"""A module like the vehicles one, in wire form: every kind of field and of view in it, made for the tests of screens that work from a definition alone."""

from typing import Any

import msgspec

from desktop.core.domain.definition import ModuleDefinition

EVERYONE = ["everyone"]
FLEET = ["role:fleet"]


def both(zh: str, en: str) -> dict[str, str]:
    """A label."""
    return {"zh": zh, "en": en}


def field(name: str, kind: str, zh: str, en: str, **more: Any) -> dict[str, Any]:
    """A field."""
    return {"name": name, "kind": kind, "label": both(zh, en), **more}


def choice(value: str, zh: str, en: str, color: str = "neutral") -> dict[str, Any]:
    """A choice or a state."""
    return {"value": value, "label": both(zh, en), "color": color}


VEHICLE: dict[str, Any] = {
    "name": "SampleVehicle",
    "label": both("车辆", "Vehicle"),
    "title": ["plate", "model"],
    "fields": [
        field("plate", "text", "车牌", "Plate", required=True, unique=True, pattern="[^ ]{2,12}"),
        field("model", "text", "车型", "Model", required=True, max=60),
        field("seats", "number", "座位", "Seats", min=1, max=60, decimals=0, unit=both("座", "seats")),
        field(
            "fuel",
            "choice",
            "燃料",
            "Fuel",
            choices=[choice("petrol", "汽油", "Petrol"), choice("electric", "电", "Electric", "green")],
        ),
        field("keeperId", "person", "保管人", "Keeper"),
        field("departmentId", "department", "所属部门", "Department"),
        field("parentId", "reference", "主车", "Main vehicle", target="SampleVehicle"),
        field("inspectionDate", "date", "年检到期", "Inspection due"),
        field("price", "money", "购置价", "Price", min=0),
        field("inUse", "bool", "在用", "In use", default=True),
        field("photo", "blob", "照片", "Photo"),
    ],
    "access": {"read": EVERYONE, "create": FLEET, "update": FLEET, "destroy": FLEET},
    "due": [
        {
            "field": "inspectionDate",
            "label": both("年检", "Inspection"),
            "to": ["field:keeperId"],
            "unless": {"inUse": False},
            "amberDays": 30,
        }
    ],
    "sections": [
        {"label": both("基本", "Basics"), "fields": ["plate", "model", "seats", "fuel"]},
        {"label": both("管理", "Keeping"), "fields": ["keeperId", "departmentId", "inspectionDate"]},
    ],
    "links": [{"type": "SampleTrip", "field": "vehicleId", "label": both("用车记录", "Trips")}],
}

TRIP: dict[str, Any] = {
    "name": "SampleTrip",
    "label": both("用车申请", "Trip request"),
    "help": both("申请后由车队派车。", "The fleet assigns a vehicle afterwards."),
    "title": ["number", "destination"],
    "fields": [
        field("number", "text", "单号", "Number", readOnly=True),
        field("destination", "text", "目的地", "Destination", required=True, max=100),
        field("span", "span", "用车时间", "Time", required=True),
        field("vehicleId", "reference", "车辆", "Vehicle", target="SampleVehicle", only={"inUse": True}),
        field("passengers", "persons", "乘车人", "Passengers", required=True, min=1),
        field("driverId", "person", "驾驶员", "Driver"),
        field("departmentId", "department", "用车部门", "Department"),
        field("visits", "departments", "到访部门", "Departments visited"),
        field(
            "kind",
            "choice",
            "类别",
            "Kind",
            default="duty",
            choices=[
                choice("duty", "公务", "Duty"),
                choice("flood", "防汛", "Flood watch", "red"),
                choice("guest", "接待", "Guests", "accent"),
            ],
        ),
        field(
            "needs",
            "multiChoice",
            "需要",
            "Needs",
            choices=[
                choice("boots", "雨靴", "Boots"),
                choice("radio", "对讲机", "Radio"),
                choice("boat", "冲锋舟", "Boat"),
            ],
        ),
        field("reason", "longText", "事由", "Reason", max=500),
        field("notes", "richText", "说明", "Notes"),
        field("wanted", "date", "最迟", "Latest day"),
        field("leavesAt", "datetime", "出车时间", "Left at"),
        field("overnight", "bool", "过夜", "Overnight"),
        field("nights", "number", "夜数", "Nights", decimals=0, min=1, max=30, when={"overnight": True}),
        field("odometerOut", "number", "出车里程", "Odometer out", unit=both("公里", "km")),
        field("odometerIn", "number", "回车里程", "Odometer in", unit=both("公里", "km")),
        field(
            "distance", "number", "里程", "Distance", formula=["subtract", "odometerIn", "odometerOut"], readOnly=True
        ),
        field("cost", "money", "费用", "Cost", formula=["sum", "items.amount"], readOnly=True),
        field(
            "items",
            "lines",
            "费用明细",
            "Costs",
            fields=[
                field("item", "text", "项目", "Item", required=True),
                field("quantity", "number", "数量", "Quantity", min=0),
                field("price", "money", "单价", "Price", min=0),
                field("paidOn", "date", "日期", "Paid on"),
                field("amount", "money", "金额", "Amount", formula=["multiply", "quantity", "price"], readOnly=True),
            ],
        ),
        field("papers", "files", "附件", "Files"),
        field(
            "place",
            "object",
            "地点",
            "Place",
            fields=[field("road", "text", "路名", "Road"), field("floor", "number", "楼层", "Floor")],
        ),
        field("readers", "audience", "抄送", "Copies to"),
        field("others", "references", "备选车辆", "Other vehicles", target="SampleVehicle"),
        field("returnsOn", "date", "返回", "Back on", after="wanted"),
    ],
    "access": {
        "read": EVERYONE,
        "create": EVERYONE,
        "update": ["author@draft|asked", "role:fleet"],
        "destroy": ["author@draft", "role:fleet"],
    },
    "states": [
        choice("draft", "草稿", "Draft"),
        choice("asked", "待审批", "Asked", "amber"),
        choice("approved", "已批准", "Approved", "accent"),
        {**choice("done", "已完成", "Done", "green"), "final": True},
        {**choice("refused", "已退回", "Refused", "red"), "final": True},
    ],
    "actions": [
        {
            "name": "ask",
            "label": both("提交", "Submit"),
            "from": ["draft"],
            "to": "asked",
            "who": ["author"],
            "primary": True,
            "icon": "ph.paper-plane-tilt",
        },
        {
            "name": "approve",
            "label": both("批准", "Approve"),
            "from": ["asked"],
            "to": "approved",
            "who": FLEET,
            "requires": ["vehicleId"],
            "asks": ["driverId"],
            "primary": True,
        },
        {
            "name": "refuse",
            "label": both("退回", "Refuse"),
            "from": ["asked"],
            "to": "refused",
            "who": FLEET,
            "requires": ["reason"],
            "destructive": True,
        },
        {
            "name": "finish",
            "label": both("还车", "Return"),
            "from": ["approved"],
            "to": "done",
            "who": ["field:driverId", "role:fleet"],
            "requires": ["odometerOut", "odometerIn"],
        },
    ],
    "numbering": {"field": "number", "pattern": "YC-{yyyy}-{n:03}", "period": "year"},
    "booking": {"resource": "vehicleId", "span": "span", "states": ["asked", "approved"]},
    "due": [
        {
            "field": "wanted",
            "label": both("最迟用车", "Needed by"),
            "to": ["author"],
            "unless": {"state": ["done", "refused"]},
            "amberDays": 2,
        }
    ],
    "todos": [
        {"id": "assign", "label": both("派车", "Assign"), "to": FLEET, "when": {"state": "asked"}, "due": "wanted"}
    ],
    "sections": [
        {
            "label": both("行程", "Journey"),
            "fields": ["destination", "span", "passengers", "vehicleId", "driverId", "reason"],
        },
        {"label": both("费用", "Costs"), "fields": ["items", "cost"]},
    ],
    "paper": {
        "title": both("用车申请单", "Trip request"),
        "rows": [["number", "destination"], ["span"], ["vehicleId", "driverId"], ["reason"]],
        "lines": "items",
        "note": both("出车前交车队。", "Hand to the fleet before leaving."),
    },
    "tracked": True,
}

SAMPLE: dict[str, Any] = {
    "id": "sample_vehicles",
    "group": "extended",
    "label": both("车辆管理", "Vehicles"),
    "icon": "ph.car",
    "order": 10,
    "types": [VEHICLE, TRIP],
    "views": [
        {
            "id": "calendar",
            "type": "SampleTrip",
            "kind": "timeline",
            "label": both("用车日历", "Schedule"),
            "time": "span",
            "resource": "vehicleId",
        },
        {
            "id": "requests",
            "type": "SampleTrip",
            "kind": "table",
            "label": both("申请单", "Requests"),
            "sort": ["-createdAt"],
            "columns": ["number", "destination", "span", "vehicleId", "passengers", "kind", "wanted", "cost", "state"],
            "totals": ["cost"],
        },
        {
            "id": "fleet",
            "type": "SampleVehicle",
            "kind": "table",
            "label": both("车辆台账", "Fleet"),
            "sort": ["plate"],
            "columns": [
                "plate",
                "model",
                "seats",
                "fuel",
                "keeperId",
                "departmentId",
                "inspectionDate",
                "price",
                "inUse",
            ],
            "totals": ["price"],
        },
        {"id": "month", "type": "SampleTrip", "kind": "calendar", "label": both("月历", "Month"), "time": "span"},
        {
            "id": "board",
            "type": "SampleTrip",
            "kind": "board",
            "label": both("看板", "Board"),
            "group": "state",
            "columns": ["destination", "span", "passengers"],
        },
        {
            "id": "tree",
            "type": "SampleVehicle",
            "kind": "tree",
            "label": both("编组", "Groups"),
            "parent": "parentId",
            "columns": ["plate", "model", "seats"],
        },
        {
            "id": "feed",
            "type": "SampleTrip",
            "kind": "feed",
            "label": both("动态", "Feed"),
            "columns": ["destination", "reason"],
            "sort": ["-updatedAt"],
        },
        {
            "id": "reader",
            "type": "SampleTrip",
            "kind": "reader",
            "label": both("阅读", "Reader"),
            "columns": ["destination", "kind"],
        },
        {"id": "ask", "type": "SampleTrip", "kind": "form", "label": both("申请", "Ask")},
        {
            "id": "stats",
            "type": "SampleTrip",
            "kind": "chart",
            "label": both("统计", "Figures"),
            "reports": ["perKind", "perMonth"],
        },
        {
            "id": "fleetOnly",
            "type": "SampleVehicle",
            "kind": "table",
            "label": both("车队内部", "Fleet only"),
            "columns": ["plate"],
            "roles": ["fleet"],
        },
    ],
    "reports": [
        {
            "id": "perKind",
            "type": "SampleTrip",
            "label": both("按类别", "By kind"),
            "group": ["kind"],
            "measures": [
                {"label": both("次数", "Trips"), "op": "count"},
                {"label": both("费用", "Cost"), "op": "sum", "field": "cost"},
            ],
            "chart": "pie",
        },
        {
            "id": "perMonth",
            "type": "SampleTrip",
            "label": both("按月", "By month"),
            "group": ["month:span"],
            "measures": [
                {"label": both("里程", "Distance"), "op": "sum", "field": "distance"},
                {"label": both("每公里", "Per km"), "op": "sum", "field": "cost", "per": "distance"},
            ],
            "chart": "bar",
        },
    ],
}


def sample_module() -> ModuleDefinition:
    """The definition as the core hands it over."""
    return msgspec.convert(SAMPLE, ModuleDefinition)
