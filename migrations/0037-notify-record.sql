-- What nearly every delivery ends with, as in 0010, for several deliveries that ended at about the same time: one transaction, so one
-- wait for the disk. Each is recorded whole or not at all: the attempt is logged, the subscription moves on, its job ends.
--
-- Answers the places (from 1) that were recorded. Nobody waits for a row that somebody else holds (the reader of changes locks several):
-- with `in_waits` false such a delivery is left out, and goes alone, with `in_waits` true, where it delays nobody. A job
-- that another worker holds by now is left out either way. Src/notify/record.sql.ts says what the values mean.
drop function notify_record(
  text, timestamptz, text, bigint, bigint, integer, text, smallint, integer, integer, bigint, boolean, integer, timestamptz,
  timestamptz, timestamptz, text, integer, bigint, timestamptz
);

create function notify_record(
  in_waits boolean, in_holder integer,
  in_subscription text[],    -- none twice
  in_at timestamptz[], in_kind text[], in_first bigint[], in_last bigint[], in_attempt integer[], in_outcome text[],
  in_http_status smallint[], in_duration_ms integer[], in_version integer[], in_delivered bigint[], in_is_slow boolean[],
  in_failures integer[], in_failing_since timestamptz[], in_retry_at timestamptz[], in_sent_at timestamptz[],
  in_job_kind text[], in_stamp bigint[], in_run_at timestamptz[]
) returns integer[]
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  mine integer[];
begin
  -- State before job, as the reader of changes takes them.
  if in_waits then
    mine := array(
      select e.place::integer
      from unnest(in_subscription) with ordinality as e(subscription, place)
      join subscription_state s on s.subscription = e.subscription
      order by s.subscription for update of s);
    mine := array(
      select e.place
      from unnest(mine) as e(place)
      join job j on j.kind = in_job_kind[e.place] and j.key = in_subscription[e.place]
      where j.holder = in_holder
      order by j.kind, j.key for update of j);
  else
    mine := array(
      select e.place::integer
      from unnest(in_subscription) with ordinality as e(subscription, place)
      join subscription_state s on s.subscription = e.subscription
      order by s.subscription for update of s skip locked);
    mine := array(
      select e.place
      from unnest(mine) as e(place)
      join job j on j.kind = in_job_kind[e.place] and j.key = in_subscription[e.place]
      where j.holder = in_holder
      order by j.kind, j.key for update of j skip locked);
  end if;
  update subscription_state s
  set is_slow = in_is_slow[e.place],
      -- Unless somebody has put the place back meanwhile ($resend).
      delivered_number = case when s.delivered_number = in_first[e.place] - 1 then in_delivered[e.place]
                              else s.delivered_number end,
      failures = in_failures[e.place], failing_since = in_failing_since[e.place],
      retry_at = in_retry_at[e.place], sent_at = in_sent_at[e.place]
  from unnest(mine) as e(place)
  where s.subscription = in_subscription[e.place] and s.version = in_version[e.place];
  insert into delivery (subscription, at, kind, first_number, last_number, attempt, outcome, http_status, duration_ms)
  select in_subscription[e.place], in_at[e.place], in_kind[e.place], in_first[e.place], in_last[e.place],
         in_attempt[e.place], in_outcome[e.place], in_http_status[e.place], in_duration_ms[e.place]
  from unnest(mine) as e(place);
  delete from job j using unnest(mine) as e(place)
  where j.kind = in_job_kind[e.place] and j.key = in_subscription[e.place]
    and j.stamp = in_stamp[e.place] and in_run_at[e.place] is null;
  -- What is to be done again, and what was asked for meanwhile.
  update job j
  set holder = null, attempts = 0, last_error = null,
      run_at = case when j.stamp = in_stamp[e.place] then in_run_at[e.place]
                    else least(j.run_at, coalesce(in_run_at[e.place], j.run_at)) end
  from unnest(mine) as e(place)
  where j.kind = in_job_kind[e.place] and j.key = in_subscription[e.place]
    and not (j.stamp = in_stamp[e.place] and in_run_at[e.place] is null);
  return mine;
end $$;
