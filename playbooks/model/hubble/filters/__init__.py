"""What `hubble observe` takes: arguments → what is asked → the events that match.

From arguments (see `observing`, `asked`)::

    asked = observe(argv, now)          # Observe, Help(text) for standard output, or Refused(message, exit)
    asked.request()                     # GetFlowsRequest; agent_events_request(), debug_events_request()
    asked.allowlist, asked.denylist     # FlowFilter messages
    asked.raw_filters()                 # what --print-raw-filters prints (when asked.print_raw_filters)
    asked.look                          # Look: output, time_format, color, ip_translation, node_name, …
    asked.input_file, asked.input       # where events come from instead of a server
    asked.server                        # the server's flags that were given: name → values

Offline (see `matching`, `selection`)::

    matcher = matching(asked.allowlist, asked.denylist)     # or raises FilterRefused: print it, end with 1
    matcher.flow(flow), matcher.event(event)
    for event in selected(asked.request(), events): ...     # within time and number; same refusals
"""
