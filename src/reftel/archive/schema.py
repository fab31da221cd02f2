"""The tables of an archive (docs/archive-format.md), as SQLite has them."""

FORMAT = 2
# What archives begun before it came do not have.
ADDED = "CREATE INDEX IF NOT EXISTS documents_reading ON documents (label) WHERE reading = 1"
SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE labels (
    id INTEGER PRIMARY KEY,
    classification TEXT NOT NULL,
    captions TEXT NOT NULL,
    UNIQUE (classification, captions)
);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    telegram INTEGER NOT NULL,
    label INTEGER NOT NULL REFERENCES labels (id),
    reading INTEGER NOT NULL,
    quality INTEGER NOT NULL,
    post TEXT,
    year INTEGER,
    number INTEGER,
    section INTEGER,
    sent INTEGER,
    opens INTEGER,
    filed INTEGER NOT NULL,
    origin TEXT NOT NULL
);
CREATE INDEX documents_number ON documents (post, year, number, label);
CREATE INDEX documents_sent ON documents (sent);
CREATE INDEX documents_copies ON documents (telegram) WHERE telegram <> id;
{ADDED};
CREATE INDEX documents_opens ON documents (opens) WHERE opens IS NOT NULL;
CREATE TABLE texts (
    document INTEGER PRIMARY KEY REFERENCES documents (id),
    dictionary INTEGER NOT NULL,
    source BLOB NOT NULL,
    record BLOB NOT NULL
);
CREATE TABLE dictionaries (id INTEGER PRIMARY KEY, text BLOB NOT NULL, record BLOB NOT NULL);
CREATE TABLE spread (telegram INTEGER PRIMARY KEY);
CREATE TABLE citations (
    post TEXT NOT NULL,
    year INTEGER NOT NULL,
    number INTEGER NOT NULL,
    document INTEGER NOT NULL REFERENCES documents (id),
    label INTEGER NOT NULL REFERENCES labels (id),
    how INTEGER NOT NULL,
    PRIMARY KEY (post, year, number, document)
) WITHOUT ROWID;
CREATE INDEX citations_document ON citations (document, how);
CREATE TABLE stations (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE continuity (
    originator INTEGER NOT NULL REFERENCES stations (id),
    addressee INTEGER NOT NULL REFERENCES stations (id),
    sent INTEGER NOT NULL,
    document INTEGER NOT NULL REFERENCES documents (id),
    number INTEGER NOT NULL,
    PRIMARY KEY (originator, sent, addressee, document)
) WITHOUT ROWID;
CREATE TABLE lost (
    document INTEGER PRIMARY KEY REFERENCES documents (id),
    why TEXT NOT NULL
);
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    label INTEGER REFERENCES labels (id),
    opens INTEGER
);
CREATE INDEX decisions_digest ON decisions (digest);
CREATE TABLE refused (digest BLOB PRIMARY KEY, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE had (
    path TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    inputs INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE places (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE unindexed (
    place INTEGER NOT NULL REFERENCES places (id),
    document INTEGER NOT NULL,
    label INTEGER NOT NULL,
    PRIMARY KEY (place, document, label)
) WITHOUT ROWID;
"""
