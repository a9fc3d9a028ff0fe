-- Version 5: counts and edits that are looked up in the same time in any library.

-- What the tree holds, by the kind of entry.
CREATE TABLE totals (
    kind TEXT PRIMARY KEY,
    entries INTEGER NOT NULL,
    size INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO totals (kind, entries, size) SELECT kind, count(*), sum(size) FROM nodes GROUP BY kind;
INSERT OR IGNORE INTO totals (kind, entries, size)
VALUES ('folder', 0, 0), ('track', 0, 0), ('sidecar', 0, 0);
CREATE TRIGGER nodes_counted AFTER INSERT ON nodes BEGIN
    UPDATE totals SET entries = entries + 1, size = size + new.size WHERE kind = new.kind;
END;
CREATE TRIGGER nodes_uncounted AFTER DELETE ON nodes BEGIN
    UPDATE totals SET entries = entries - 1, size = size - old.size WHERE kind = old.kind;
END;
CREATE TRIGGER nodes_recounted AFTER UPDATE OF kind, size ON nodes
WHEN old.kind <> new.kind OR old.size <> new.size BEGIN
    UPDATE totals SET entries = entries - 1, size = size - old.size WHERE kind = old.kind;
    UPDATE totals SET entries = entries + 1, size = size + new.size WHERE kind = new.kind;
END;

-- How many files are known of an origin.
CREATE TABLE file_counts (
    origin TEXT PRIMARY KEY,
    files INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO file_counts (origin, files) SELECT origin, count(*) FROM files GROUP BY origin;
CREATE TRIGGER files_counted AFTER INSERT ON files BEGIN
    INSERT INTO file_counts (origin, files) SELECT new.origin, 0
    WHERE NOT EXISTS (SELECT 1 FROM file_counts WHERE origin = new.origin);
    UPDATE file_counts SET files = files + 1 WHERE origin = new.origin;
END;
CREATE TRIGGER files_uncounted AFTER DELETE ON files BEGIN
    UPDATE file_counts SET files = files - 1 WHERE origin = old.origin;
END;

-- Whether the layout of an edit is perhaps not made yet: 0 when it is.
ALTER TABLE edited ADD COLUMN unmade INTEGER NOT NULL DEFAULT 1;
UPDATE edited SET unmade = 0 WHERE EXISTS (
    SELECT 1 FROM layouts l JOIN tracks t ON t.id = l.track_id AND t.content_id = l.content_id
    WHERE l.track_id = edited.track_id AND l.edited_ns = edited.edited_ns
) OR (art = 'own' AND NOT EXISTS (SELECT 1 FROM edits e WHERE e.track_id = edited.track_id));
CREATE INDEX edited_unmade ON edited (track_id) WHERE unmade = 1;
CREATE TRIGGER layouts_made AFTER INSERT ON layouts BEGIN
    UPDATE edited SET unmade = 0 WHERE track_id = new.track_id AND edited_ns = new.edited_ns
    AND new.content_id = (SELECT content_id FROM tracks WHERE id = new.track_id);
END;
CREATE TRIGGER tracks_changed AFTER UPDATE OF content_id ON tracks BEGIN
    UPDATE edited SET unmade = 1 WHERE track_id = new.id;
END;
