"""Office records in SQLite: three tables for each type, made when its first record comes. A narrow one with a cell for each field, which conditions and
orders scan at the speed of C; one with the folded texts, for quick search; one with the records themselves. What a definition says is not needed here:
a field gets its column when it is first held."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final

import apsw
import msgspec

from desktop.core.domain import GroupSummary, Record
from desktop.core.domain.conditions import ALWAYS, record_texts
from desktop.core.domain.formulas import format_money
from desktop.core.domain.records import Figure, FigureGroup, Placed, wire_of
from desktop.core.store.record_cells import FLAG, IS_DATE, IS_INSTANT, Sql, cell, is_money_cell, is_whole, value_of_cell
from desktop.core.sync.port import FiguresWanted, GroupsWanted, RecordsWanted, SortKey

_FEW: Final = 1000
_DENSE: Final = 4
_LARGE: Final = 20_000
"""Rows from which on the newest are found by an index; other orders get theirs when they are first asked for."""
_COMMON: Final = 10
"""One in so many matches: going along an index finds a page of them soon."""
_ROOM_KIB: Final = 98304
_EXACT: Final = 1 << 50
"""Sums up to here are exact."""
_UNITS: Final = {"year": 4, "month": 7, "day": 10}
_MAX_COLUMNS: Final = 500
"""Fields of one type that can be asked for; a type with more is shown, but not searched by the rest."""
_encode = msgspec.json.encode
_record = msgspec.json.Decoder(Record)
_fields = msgspec.json.Decoder(dict[str, int])
Decode = Callable[["msgspec.json.Decoder[Record]", bytes], Record]


class _Table(msgspec.Struct):
    """The tables of one type and which column each field has."""

    number: int
    columns: dict[str, int]
    ordered: bool = False

    @property
    def cells(self) -> str:
        return f"record_{self.number}"

    @property
    def texts(self) -> str:
        return f"record_{self.number}_text"

    @property
    def data(self) -> str:
        return f"record_{self.number}_data"

    def column(self, field: str) -> str | None:
        """The column of a field; None: no record has ever held it."""
        if field == "id":
            return "id"
        place = self.columns.get(field)
        return None if place is None else f"f{place}"


class RecordTables:
    """Reads and writes inside the transactions of the store that owns it."""

    def __init__(self, db: apsw.Connection, decode: Decode) -> None:
        self._db = db
        self._decode = decode
        self._tables: dict[str, _Table] = {}
        self._roomy = False

    def forget(self) -> None:
        """A transaction was rolled back: what is known of the tables may be wrong."""
        self._tables.clear()

    # ------------------------------------------------------------ writing
    def put(self, type_name: str, records: Sequence[Record]) -> None:
        """Writes whole records."""
        table = self._table(type_name) or self._make(type_name)
        wires = [wire_of(record) for record in records]
        self._make_columns(type_name, table, wires)
        names = list(table.columns)
        for record, wire in zip(records, wires, strict=True):
            self._delete(table, record.id)
            row = [cell(wire.get(name)) for name in names]
            marks = ", ".join("?" * (len(row) + 1))
            columns = "".join(f", f{table.columns[name]}" for name in names)
            self._db.execute(f"INSERT INTO {table.cells}(id{columns}) VALUES({marks})", (record.id, *row))
            n = self._db.last_insert_rowid()
            self._db.execute(f"INSERT INTO {table.texts} VALUES(?, ?)", (n, "\n".join(record_texts(wire))))
            self._db.execute(f"INSERT INTO {table.data} VALUES(?, ?)", (n, _encode(record)))
            if n >= _LARGE and not table.ordered:
                table.ordered = True
                self.prepare_order(type_name, SortKey("createdAt", kind="time"))

    def remove(self, type_name: str, record_id: str) -> bool:
        """Whether it was there."""
        table = self._table(type_name)
        return table is not None and self._delete(table, record_id)

    def drop(self, type_name: str) -> list[str]:
        """Takes all of a type away; the ids it had."""
        table = self._table(type_name)
        if table is None:
            return []
        ids = self.ids(type_name)
        for name in (table.cells, table.texts, table.data):
            self._db.execute(f"DROP TABLE {name}")
        self._db.execute("DELETE FROM record_type WHERE n = ?", (table.number,))
        del self._tables[type_name]
        return ids

    def _delete(self, table: _Table, record_id: str) -> bool:
        found = next(iter(self._db.execute(f"DELETE FROM {table.cells} WHERE id = ? RETURNING n", (record_id,))), None)
        if found is None:
            return False
        self._db.execute(f"DELETE FROM {table.texts} WHERE n = ?", found)
        self._db.execute(f"DELETE FROM {table.data} WHERE n = ?", found)
        return True

    # ------------------------------------------------------------ reading
    def ids(self, type_name: str) -> list[str]:
        """All ids of a type."""
        table = self._table(type_name)
        return [] if table is None else [row[0] for row in self._db.execute(f"SELECT id FROM {table.cells}")]

    def load(self, type_name: str, ids: Collection[str]) -> dict[str, Record]:
        """Those that are here."""
        table = self._table(type_name)
        found: dict[str, Record] = {}
        for record_id in dict.fromkeys(ids) if table is not None else ():
            sql = f"SELECT d.data FROM {table.cells} c JOIN {table.data} d ON d.n = c.n WHERE c.id = ?"  # type: ignore[union-attr]
            for (data,) in self._db.execute(sql, (record_id,)):
                found[record_id] = self._decode(_record, data)
        return found

    def all(self, type_name: str) -> list[Record]:
        """All of a type, by id."""
        return self.page(RecordsWanted(type_name))[0]

    def page(self, wanted: RecordsWanted) -> tuple[list[Record], int]:
        """A part of those that match, and how many match."""
        with self._as_wanted(wanted) as table:
            if table is None:
                return [], 0
            self._make_room(table)
            sql = Sql(table.column, table.cells, table.texts)
            where = sql.where(wanted.condition)
            if wanted.condition != ALWAYS and wanted.limit is not None and self._top(table) >= _LARGE:
                return self._page_of_many(table, wanted, sql, where)
            order = _Order(table, wanted.sort, by_index=wanted.condition == ALWAYS)
            query = f"{order.names} SELECT {table.cells}.n FROM {sql.source} {order.joins} WHERE {where} ORDER BY {order.terms} LIMIT ? OFFSET ?"
            values = (*order.name_values, *sql.values, *order.values)
            if (
                wanted.condition != ALWAYS
            ):  # asking once for all that match is cheaper than asking for a page and counting
                places = [n for (n,) in self._db.execute(query, (*values, -1, 0))]
                end = None if wanted.limit is None else wanted.offset + wanted.limit
                return self._read(table, places[wanted.offset : end]), len(places)
            limit = -1 if wanted.limit is None else wanted.limit
            places = [n for (n,) in self._db.execute(query, (*values, limit, wanted.offset))]
            total = next(iter(self._db.execute(f"SELECT count(*) FROM {table.cells}")))[0]
            return self._read(table, places), total

    def matching_ids(self, wanted: RecordsWanted) -> list[str]:
        """Ids of those that match."""
        with self._as_wanted(wanted) as table:
            if table is None:
                return []
            sql = Sql(table.column, table.cells, table.texts)
            where = sql.where(wanted.condition)
            order = _Order(table, wanted.sort, by_index=wanted.condition == ALWAYS)
            query = f"{order.names} SELECT id FROM {sql.source} {order.joins} WHERE {where} ORDER BY {order.terms} LIMIT ? OFFSET ?"
            limit = -1 if wanted.limit is None else wanted.limit
            values = (*order.name_values, *sql.values, *order.values, limit, wanted.offset)
            return [row[0] for row in self._db.execute(query, values)]

    def _page_of_many(self, table: _Table, wanted: RecordsWanted, sql: Sql, where: str) -> tuple[list[Record], int]:
        """A page out of very many: few that match are sorted, of many the index of the order leads to the first ones."""
        source, values, most = sql.source, sql.values, self._top(table) // _COMMON
        few = [
            n
            for (n,) in self._db.execute(f"SELECT {table.cells}.n FROM {source} WHERE {where} LIMIT ?", (*values, most))
        ]
        total = len(few)
        if total == most:
            total = next(iter(self._db.execute(f"SELECT count(*) FROM {source} WHERE {where}", values)))[0]
        else:
            source, where, values = table.cells, "n IN (SELECT value FROM json_each(?))", [_encode(few).decode()]
        order = _Order(table, wanted.sort, by_index=total >= most)
        query = (
            f"{order.names} SELECT {table.cells}.n FROM {source} {order.joins} WHERE {where}"
            f" ORDER BY {order.terms} LIMIT ? OFFSET ?"
        )
        found = self._db.execute(query, (*order.name_values, *values, *order.values, wanted.limit, wanted.offset))
        return self._read(table, [n for (n,) in found]), total

    def groups(self, wanted: GroupsWanted) -> list[GroupSummary]:
        """Counts and sums by group."""
        with self._as_wanted(wanted.records) as table:
            if table is None:
                return []
            self._make_room(table)
            sql = Sql(table.column, table.cells, table.texts)
            where = sql.where(wanted.records.condition)
            group = "NULL" if wanted.group is None else table.column(wanted.group) or "NULL"
            sums = [_sum(table.column(name), name in wanted.money) for name in wanted.sums]
            query = (
                f"SELECT {', '.join([group + ' AS g', 'count(*)', *sums])} FROM {sql.source} WHERE {where}"
                " GROUP BY g ORDER BY 2 DESC, g COLLATE NOCASE NULLS LAST, g"
            )
            rows = list(self._db.execute(query, sql.values))
        return [GroupSummary(group_value(row[0]), row[1], _sums(wanted, row[2:])) for row in rows if row[1]]

    def outline(self, wanted: RecordsWanted, field: str) -> list[Placed]:
        """All that match, in order, with what a field holds."""
        with self._as_wanted(wanted) as table:
            if table is None:
                return []
            self._make_room(table)
            sql = Sql(table.column, table.cells, table.texts)
            where = sql.where(wanted.condition)
            order = _Order(table, wanted.sort, by_index=False)
            query = (
                f"{order.names} SELECT id, {table.column(field) or 'NULL'} FROM {sql.source} {order.joins}"
                f" WHERE {where} ORDER BY {order.terms}"
            )
            rows = self._db.execute(query, (*order.name_values, *sql.values, *order.values))
            return [Placed(key, value_of_cell(held)) for key, held in rows]

    def figures(self, wanted: FiguresWanted) -> list[FigureGroup] | None:
        """Counts, sums and bounds by group."""
        with self._as_wanted(wanted.records) as table:
            if table is None:
                return []
            self._make_room(table)
            sql = Sql(table.column, table.cells, table.texts)
            where = sql.where(wanted.records.condition)
            groups = [_group_of(table.column(name), unit) for unit, name in wanted.groups]
            numbers = [_number_of(table.column(name), name in wanted.money) for name in wanted.fields]
            named = [f"{part} AS c{place}" for place, part in enumerate([*groups, *numbers])]
            keys = [f"c{place}" for place in range(len(groups))]
            parts = [
                f"count({one}), ifnull(sum({one}), 0), min({one}), max({one})"
                for one in (f"c{len(groups) + place}" for place in range(len(numbers)))
            ]
            query = (
                f"WITH cut AS MATERIALIZED (SELECT {', '.join(named) or '1'} FROM {sql.source} WHERE {where})"
                f" SELECT {', '.join([*keys, 'count(*)', *parts])} FROM cut"
            )
            rows = list(self._db.execute(f"{query} GROUP BY {', '.join(keys)}" if keys else query, sql.values))
        return _figure_groups(wanted, [row for row in rows if row[len(groups)]])

    def _make_room(self, table: _Table) -> None:
        """Scans of a large type are fast where its cells stay decrypted in memory; who has no such type does not pay for it."""
        if not self._roomy and self._top(table) >= _LARGE:
            self._roomy = True
            self._db.execute(f"PRAGMA cache_size = -{_ROOM_KIB}")

    def _top(self, table: _Table) -> int:
        return next(iter(self._db.execute(f"SELECT ifnull(max(n), 0) FROM {table.cells}")))[0]  # type: ignore[no-any-return]

    def _read(self, table: _Table, places: list[int]) -> list[Record]:
        """The records at these places, in that order."""
        decode, decoder = self._decode, _record
        if len(places) > _FEW and len(places) * _DENSE > self._top(
            table
        ):  # reading the whole table beats looking each of them up
            held = dict(self._db.execute(f"SELECT n, data FROM {table.data}"))
            return [decode(decoder, held[n]) for n in places]
        query = f"SELECT data FROM {table.data} WHERE n = ?"
        found = {n: next(iter(self._db.execute(query, (n,))))[0] for n in sorted(places)}
        return [decode(decoder, found[n]) for n in places]

    def prepare_order(self, type_name: str, key: SortKey) -> None:
        """An index that gives this order without looking at every row; nothing where none can."""
        table = self._table(type_name)
        column = None if table is None else table.column(key.field)
        if table is None or column in (None, "id") or key.kind not in ("value", "time"):
            return
        collation = " COLLATE NOCASE" if key.kind == "value" else ""
        name = f"{table.cells}_{column}_{key.kind}"
        self._db.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {table.cells}({column}{collation}, id)")

    # ------------------------------------------------------------ tables
    @contextmanager
    def _as_wanted(self, wanted: RecordsWanted) -> Iterator[_Table | None]:
        """The type's tables with the outbox laid over them, for as long as one question takes."""
        if not wanted.overlay and not wanted.hidden:
            yield self._table(wanted.type_name)
            return
        self._db.execute("SAVEPOINT overlay")
        try:
            for record_id in wanted.hidden:
                self.remove(wanted.type_name, record_id)
            if wanted.overlay:
                self.put(wanted.type_name, wanted.overlay)
            yield self._table(wanted.type_name)
        finally:
            self._db.execute("ROLLBACK TO overlay")
            self._db.execute("RELEASE overlay")
            self.forget()

    def _table(self, type_name: str) -> _Table | None:
        known = self._tables.get(type_name)
        if known is None:
            for number, fields in self._db.execute("SELECT n, fields FROM record_type WHERE name = ?", (type_name,)):
                known = self._tables[type_name] = _Table(number, _fields.decode(fields))
        return known

    def _make(self, type_name: str) -> _Table:
        self._db.execute("INSERT INTO record_type(name, fields) VALUES(?, '{}')", (type_name,))
        table = self._tables[type_name] = _Table(self._db.last_insert_rowid(), {})
        self._db.execute(f"CREATE TABLE {table.cells}(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE)")
        self._db.execute(f"CREATE TABLE {table.texts}(n INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        self._db.execute(f"CREATE TABLE {table.data}(n INTEGER PRIMARY KEY, data BLOB NOT NULL)")
        return table

    def _make_columns(self, type_name: str, table: _Table, wires: list[dict[str, Any]]) -> None:
        names = dict.fromkeys(name for wire in wires for name in wire if name != "id" and name not in table.columns)
        fresh = list(names)[: _MAX_COLUMNS - len(table.columns)]
        for name in fresh:
            place = table.columns[name] = len(table.columns)
            self._db.execute(f"ALTER TABLE {table.cells} ADD COLUMN f{place}")
        if fresh:
            self._db.execute("UPDATE record_type SET fields = ? WHERE name = ?", (_encode(table.columns), type_name))


class _Order:
    """ORDER BY of a query, with the names it sorts by as a table of their own. `by_index`: an index of that order may lead; where rows are picked by a
    condition, looking each up in its order takes far longer than reading them as they lie and sorting what is left.
    """

    def __init__(self, table: _Table, sort: tuple[SortKey, ...], *, by_index: bool) -> None:
        self.name_values: list[Any] = []
        self.values: list[Any] = []
        tables: list[str] = []
        joins: list[str] = []
        terms: list[str] = []
        for place, key in enumerate(sort):
            column = table.column(key.field)
            if column is None:
                continue
            if key.kind == "name":
                tables.append(f"s{place}(k{place}, v{place}) AS MATERIALIZED (SELECT key, value FROM json_each(?))")
                self.name_values.append(_encode(key.names).decode())
                joins.append(f"LEFT JOIN s{place} ON k{place} = {column}")
            term = self._term(key, column if by_index else f"+{column}", place)
            terms.append(f"{term} {'DESC' if key.descending else 'ASC'} NULLS LAST")
        self.names = f"WITH {', '.join(tables)}" if tables else ""
        self.joins = " ".join(joins)
        self.terms = ", ".join([*terms, "id"])

    def _term(self, key: SortKey, column: str, place: int) -> str:
        match key.kind:
            case "money":
                return f"CAST({column} AS REAL)"
            case "time":
                return column
            case "choice" if key.choices:
                self.values += key.choices
                cases = " ".join(f"WHEN ? THEN {index}" for index in range(len(key.choices)))
                return f"CASE {column} {cases} ELSE {column} END"
            case "name":
                return f"ifnull(v{place}, {column}) COLLATE NOCASE"
            case _:
                return f"{column} COLLATE NOCASE"


def _group_of(column: str | None, unit: str) -> str:
    """What a group is known by; of a time the local day, or its beginning."""
    if column is None:
        return "NULL"
    if not unit:
        return column
    utc = f"substr({column}, 1, 23)"
    day = f"CASE WHEN {column} {IS_DATE} THEN {column} WHEN {column} {IS_INSTANT} THEN date({utc}, 'localtime') END"
    return f"substr({day}, 1, {_UNITS[unit]})"


def _number_of(column: str | None, money: bool) -> str:
    """The number of a field, money in cents; NULL for none."""
    if column is None:
        return "NULL"
    kinds = f"WHEN typeof({column}) IN ('integer', 'real') THEN {column} WHEN {is_money_cell(column)} THEN CAST({column} AS REAL)"
    return f"CAST(round(100 * CASE {kinds} END) AS INTEGER)" if money else f"CASE {kinds} END"


def _figure_groups(wanted: FiguresWanted, rows: list[tuple[Any, ...]]) -> list[FigureGroup] | None:
    groups, found = len(wanted.groups), []
    for row in rows:
        if not all(is_whole(held) for held in row[:groups]):
            return None
        figures = {}
        for place, name in enumerate(wanted.fields):
            count, total, low, high = row[groups + 1 + 4 * place : groups + 5 + 4 * place]
            if any(one is not None and abs(one) > _EXACT for one in (total, low, high)):
                return None
            money = name in wanted.money
            figures[name] = Figure(count, _exact(total, money) or Decimal(0), _exact(low, money), _exact(high, money))
        found.append(FigureGroup(tuple(value_of_cell(held) for held in row[:groups]), row[groups], figures))
    return found


def _exact(number: float | None, money: bool) -> Decimal | None:
    """A number as people wrote it: sums of binary fractions are cut where they are no longer exact."""
    if number is None:
        return None
    return Decimal(number) / 100 if money else Decimal(number_text(number))


def group_value(held: Any) -> Any:
    """A cell as the value of a group; a list as it lies in the cell."""
    return held == FLAG + "1" if isinstance(held, str) and held.startswith(FLAG) else held


def _sum(column: str | None, money: bool) -> str:
    if column is None:
        return "0"
    if money:
        return f"ifnull(sum(CAST(round(CAST({column} AS REAL) * 100) AS INTEGER)), 0)"
    return f"ifnull(sum(CASE WHEN typeof({column}) IN ('integer', 'real') THEN {column} END), 0)"


def _sums(wanted: GroupsWanted, found: Sequence[Any]) -> dict[str, str]:
    """Exact texts: money comes in cents."""
    return {
        name: format_money(Decimal(value) / 100) if name in wanted.money else number_text(value)
        for name, value in zip(wanted.sums, found, strict=True)
    }


def number_text(number: float) -> str:
    """A number as text, whole ones without decimals."""
    return str(int(number)) if number == int(number) else repr(round(number, 6))
