"""The report for an audit: what ran in a period, on what data, who let it, and whether the record of that holds."""
