"""What happened to one analysis, told as one story: from its resource, its Job, pods, Events and logs.

    model.py       entries, and the story they make
    order.py       one order for times that come from several clocks
    resource.py, workloads.py, events.py, logs.py    the entries of each source
    stages.py      how long each stage took
    headline.py    where it stands, why, and what to do next
    gaps.py        what cannot be told, and why
    story.py       all of it together

Pure: from typed evidence and the time to a story. What never belongs here: asking a cluster, printing.
"""
