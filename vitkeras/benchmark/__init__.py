"""Programs that measure and print a table: ratios, side by side, in one run. Never tests with a clock."""
