"""The local schema: numbered migrations, applied in one transaction each. Never edit a released one; add the next.

`message.conversation` is a small number (conversation_key) so that an index over a million messages stays small. Rows stand in the order in which they
came, so that what was fetched together lies together. `moment` grows with the time of sending and is the row number of the search index, which
therefore gives the newest hits first without sorting; `to_index` names what it lacks. Office records have tables of their own, made when a type's first
record comes (record_tables.py); `record_type` numbers them and says which field is in which column.
"""

from typing import Final

MIGRATIONS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE state(type TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE object(type TEXT NOT NULL, id TEXT NOT NULL, parent TEXT, data BLOB NOT NULL, PRIMARY KEY(type, id)) WITHOUT ROWID;
    CREATE INDEX object_parent ON object(type, parent);
    CREATE TABLE conversation(id TEXT PRIMARY KEY, last_seq INTEGER NOT NULL, updated_at INTEGER NOT NULL, data BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE conversation_key(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
    CREATE TABLE message(n INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, seq INTEGER NOT NULL,
        moment INTEGER NOT NULL UNIQUE, id TEXT NOT NULL UNIQUE, data BLOB NOT NULL);
    CREATE UNIQUE INDEX message_place ON message(conversation, seq);
    CREATE TABLE coverage(conversation TEXT PRIMARY KEY, runs BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE edit(id TEXT PRIMARY KEY, place INTEGER NOT NULL, data BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE local(space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY(space, key)) WITHOUT ROWID;
    CREATE TABLE to_index(moment INTEGER PRIMARY KEY);
    CREATE VIRTUAL TABLE message_text USING fts5(text, content='', contentless_delete=1, tokenize='unicode61');
    """,
    # Notices, folders and documents become records (sqlite.py moves them); what was known of them is asked for again, with versions and new fields.
    """
    CREATE TABLE record_type(n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, fields BLOB NOT NULL);
    DELETE FROM state WHERE type IN ('ModuleDefinition', 'Notice', 'Folder', 'Document');
    """,
    # Senders, conversations and kinds become words of the search index (message_search.py): it is built anew, behind what the user does.
    """
    DROP TABLE message_text;
    CREATE VIRTUAL TABLE message_text USING fts5(text, content='', contentless_delete=1, tokenize='unicode61');
    INSERT OR IGNORE INTO to_index SELECT moment FROM message;
    """,
)
VERSION: Final = len(MIGRATIONS)
