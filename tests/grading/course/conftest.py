collect_ignore_glob = ["*"]  # exercises for the grader's tests, which run them at an examiner's desk
