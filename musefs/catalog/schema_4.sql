-- Version 4: what users have pinned.

-- A query whose tracks stay in the disk cache. User data.
CREATE TABLE pins (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    query TEXT NOT NULL UNIQUE,
    pinned_ns INTEGER NOT NULL
);

-- What the pins come to, within their budget: the chunks of these contents are never evicted.
CREATE TABLE pinned_contents (
    content_id INTEGER PRIMARY KEY REFERENCES contents (id) ON DELETE CASCADE
);
