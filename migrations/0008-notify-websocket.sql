-- Tokens with which a websocket binds to subscriptions: used once, kept as digests.
create table websocket_token (
  digest bytea primary key,
  subscriptions text[] not null,
  expires_at timestamptz(3) not null
);
