"""HTTP connections: kept open, shared by threads, through proxies; and when to try again."""
