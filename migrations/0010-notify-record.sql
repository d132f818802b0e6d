-- What nearly every delivery ends with, in one round trip and one order of locks (state, then job, as the reader of changes takes
-- them): the attempt is logged, the subscription moves on, its job ends. Src/notify/state.sql.ts says what the values mean.
create function notify_record(
  in_subscription text, in_at timestamptz, in_kind text, in_first bigint, in_last bigint, in_attempt integer,
  in_outcome text, in_http_status smallint, in_duration_ms integer, in_version integer, in_delivered bigint,
  in_is_slow boolean, in_failures integer, in_failing_since timestamptz, in_retry_at timestamptz, in_sent_at timestamptz,
  in_job_kind text, in_holder integer, in_stamp bigint, in_run_at timestamptz
) returns void language plpgsql as $$
declare
  found_stamp bigint;
begin
  update subscription_state
  set is_slow = in_is_slow,
      -- Unless somebody has put the place back meanwhile ($resend).
      delivered_number = case when delivered_number = in_first - 1 then in_delivered else delivered_number end,
      failures = in_failures, failing_since = in_failing_since, retry_at = in_retry_at, sent_at = in_sent_at
  where subscription = in_subscription and version = in_version;
  insert into delivery (subscription, at, kind, first_number, last_number, attempt, outcome, http_status, duration_ms)
  values (in_subscription, in_at, in_kind, in_first, in_last, in_attempt, in_outcome, in_http_status, in_duration_ms);
  select stamp into found_stamp from job
  where kind = in_job_kind and key = in_subscription and holder = in_holder for update;
  if not found then
    raise exception 'the job is held by another worker';
  end if;
  if found_stamp = in_stamp and in_run_at is null then
    delete from job where kind = in_job_kind and key = in_subscription;
  else
    update job set holder = null, attempts = 0, last_error = null,
      run_at = case when found_stamp = in_stamp then in_run_at else least(run_at, coalesce(in_run_at, run_at)) end
    where kind = in_job_kind and key = in_subscription;
  end if;
end $$;

-- What goes with the resource of an event, by the shape of its topic: `Type/id/version` each, as it was when the event was numbered.
alter table subscription_event add column context text[];
