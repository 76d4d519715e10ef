"""Guards: what looks through requests and answers for kinds that a policy can name, one file each."""
