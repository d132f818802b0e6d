-- Assertions of clients (private_key_jwt) that were used: each counts once, on whatever instance it comes first.
create table client_assertion (
  shard smallint not null default 0,
  client text collate "C" not null,
  jti bytea not null,                        -- SHA-256 of what the client called it
  expires_at timestamptz not null,
  primary key (client, jti, shard)
);
create index client_assertion_by_expiry on client_assertion (expires_at);
