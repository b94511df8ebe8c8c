"""Traffic: who asks whom, what policies and the datapath make of it, and what agents see and count of it."""
