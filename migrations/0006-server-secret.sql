-- Keys that all instances share: what signs page links must be the same whichever instance answers.
create table server_secret (
  name text primary key,
  value bytea not null
);
