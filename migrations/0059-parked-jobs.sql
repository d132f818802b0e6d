-- Jobs that were given up are few, and counted at each look at the metrics; among a million that wait nobody should look for them.
create index job_parked on job (kind) where is_parked;
