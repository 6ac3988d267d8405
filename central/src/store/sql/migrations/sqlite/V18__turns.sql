-- The row that whoever writes anything but a link and what hangs on it locks first, where several servers share a database.
CREATE TABLE turns (name TEXT PRIMARY KEY NOT NULL);
INSERT INTO turns (name) VALUES ('turn');
