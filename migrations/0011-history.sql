-- History of a type and of everything (src/store/history.ts): newest first, page by key. A create costs nothing more: the
-- current versions are found by resource_by_update, so only former versions and deletions have rows here.
create index version_by_update on version (type, last_updated desc, rid desc, version desc);
create index resource_deleted_by_update on resource (type, last_updated desc, rid desc) where is_deleted;
