"""What students hand in, in the forms in which it arrives: found, laid open safely, and the right files chosen."""
