-- Version 2: what users have set, the pictures they gave, layouts of re-tagged files, kept chunks.

-- A picture that a user gave: kept once, however many tracks show it. User data.
CREATE TABLE pictures (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    mime TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    size INTEGER NOT NULL,
    bytes BLOB NOT NULL
);

-- A track that was ever edited, and what became of its pictures. User data.
CREATE TABLE edited (
    track_id INTEGER PRIMARY KEY REFERENCES tracks (id) ON DELETE CASCADE,
    edited_ns INTEGER NOT NULL,
    art TEXT NOT NULL DEFAULT 'own' CHECK (art IN ('own', 'given', 'none')),
    picture_id INTEGER REFERENCES pictures (id),
    CHECK ((art = 'given') = (picture_id IS NOT NULL))
);
CREATE INDEX edited_by_picture ON edited (picture_id) WHERE picture_id IS NOT NULL;

-- The values of a field that was set; one row without a value: the field was removed. User data.
CREATE TABLE edits (
    track_id INTEGER NOT NULL REFERENCES edited (track_id) ON DELETE CASCADE,
    field TEXT NOT NULL,
    position INTEGER NOT NULL,
    value TEXT,
    PRIMARY KEY (track_id, field, position)
) WITHOUT ROWID;

-- How an edited track is served: made from this content for the edit of that time. Without
-- segments no header can be made, and the failure says why.
CREATE TABLE layouts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    track_id INTEGER NOT NULL UNIQUE REFERENCES tracks (id) ON DELETE CASCADE,
    content_id INTEGER NOT NULL REFERENCES contents (id),
    edited_ns INTEGER NOT NULL,
    size INTEGER NOT NULL,
    segments BLOB,
    failure TEXT,
    CHECK ((segments IS NULL) = (failure IS NOT NULL))
);
CREATE INDEX layouts_failed ON layouts (track_id) WHERE failure IS NOT NULL;

-- The layout that an entry shows; without one, its content's own bytes.
ALTER TABLE nodes ADD COLUMN layout_id INTEGER;

-- What every scan of tags reads is kept near, and evicted last.
ALTER TABLE chunks ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;

-- Where the regions of a content begin, and its size: numbers with blanks between. None: three
-- regions, head, audio and tail.
ALTER TABLE contents ADD COLUMN regions TEXT;
