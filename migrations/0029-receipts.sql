-- Messages that were taken, by what their sender calls them: the same again is answered in the same way and does nothing, another
-- under the same name is refused. Only what was taken is kept; what was refused may come again, corrected.
create table receipt (
  channel text not null,                      -- mllp | mail
  sender text collate "C" not null,           -- MSH-3|MSH-4, or ''
  name text collate "C" not null,             -- MSH-10, or Message-ID
  content text not null,                      -- SHA-256
  received_at timestamptz(3) not null,
  primary key (channel, sender, name)
);
create index receipt_by_time on receipt (received_at);
