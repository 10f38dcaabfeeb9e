-- A key's default plugins, in the form of a request's `plugins`.
ALTER TABLE key ADD COLUMN plugins TEXT NOT NULL DEFAULT '[]';
