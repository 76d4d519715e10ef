"""Types that tools are written with."""
