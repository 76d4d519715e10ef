"""Labels: what a predicted row really was, told later, joined to what was predicted."""
