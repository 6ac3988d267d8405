-- Entries of one kind of thing are found without a look at all the others.
CREATE INDEX audit_by_kind ON audit (object_kind, at, id);
