-- Version 1 of the catalogue. Paths of origins are BLOBs: they need not be UTF-8.

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;

-- Bytes that one or more origins hold; identity is size and fingerprint, never a path.
CREATE TABLE contents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    size INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    audio_start INTEGER NOT NULL,
    audio_end INTEGER NOT NULL,
    UNIQUE (size, fingerprint)
);

-- A file at an origin: one replica of a content. Without a content it could not be read yet.
CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    origin TEXT NOT NULL,
    path BLOB NOT NULL,
    folder BLOB NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    version TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('audio', 'sidecar')),
    content_id INTEGER REFERENCES contents (id),
    failure TEXT,
    UNIQUE (origin, path)
);
CREATE INDEX files_by_content ON files (content_id);
CREATE INDEX files_by_folder ON files (origin, folder);
CREATE INDEX files_failed ON files (origin) WHERE failure IS NOT NULL;

CREATE TABLE tracks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    content_id INTEGER NOT NULL UNIQUE REFERENCES contents (id),
    format TEXT NOT NULL,
    duration_s REAL
);

CREATE TABLE tags (
    track_id INTEGER NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    field TEXT NOT NULL,
    position INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (track_id, field, position)
) WITHOUT ROWID;

-- A picture embedded in a track; its offset in the content where it lies there as it is.
CREATE TABLE art (
    track_id INTEGER NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    mime TEXT NOT NULL,
    byte_offset INTEGER,
    length INTEGER NOT NULL,
    PRIMARY KEY (track_id, position)
) WITHOUT ROWID;

-- What the chunk store keeps on disk, and which part of which content it is.
CREATE TABLE chunks (
    digest BLOB PRIMARY KEY,
    size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE content_chunks (
    content_id INTEGER NOT NULL REFERENCES contents (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    digest BLOB NOT NULL REFERENCES chunks (digest) ON DELETE CASCADE,
    PRIMARY KEY (content_id, position)
) WITHOUT ROWID;
CREATE INDEX content_chunks_by_digest ON content_chunks (digest);

-- The tree that the mount shows: a track is one content, a sidecar is one file.
-- AUTOINCREMENT: an inode is never given out twice.
CREATE TABLE nodes (
    inode INTEGER PRIMARY KEY AUTOINCREMENT,
    parent INTEGER NOT NULL,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('folder', 'track', 'sidecar')),
    track_id INTEGER UNIQUE REFERENCES tracks (id),
    file_id INTEGER UNIQUE REFERENCES files (id) ON DELETE SET NULL,
    content_id INTEGER REFERENCES contents (id),
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    subfolders INTEGER NOT NULL DEFAULT 0,
    UNIQUE (parent, folded)
);
CREATE INDEX nodes_by_content ON nodes (content_id);
CREATE INDEX nodes_without_file ON nodes (inode)
WHERE kind = 'sidecar' AND file_id IS NULL;
INSERT INTO nodes (inode, parent, name, folded, kind, size, mtime_ns)
VALUES (1, 0, '', '', 'folder', 0, 0);
-- Inodes below 100 are kept for the mount's own files.
UPDATE sqlite_sequence SET seq = 99 WHERE name = 'nodes';

-- What the tree has not followed yet: a track to place, or a folder whose sidecars to place.
CREATE TABLE changelog (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    track_id INTEGER,
    origin TEXT,
    folder BLOB
);
