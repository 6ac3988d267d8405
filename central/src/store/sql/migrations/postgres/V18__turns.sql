-- The row that whoever writes anything but a link and what hangs on it locks first: one transaction of all servers at a time.
CREATE TABLE turns (name TEXT COLLATE "C" PRIMARY KEY NOT NULL);
INSERT INTO turns (name) VALUES ('turn');
