-- What is kept beside resources, their pointers and what access is decided by, was read at start in the order of texts instead of
-- numbers, where 1000 comes before 999: some resources were passed over. Read once more at the next start.
update pointer_state set is_complete = false;
update access_state set is_complete = false;
