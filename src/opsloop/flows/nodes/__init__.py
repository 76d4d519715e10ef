"""The types of node, one file each; `registry` finds them."""
