"""The command line: `dealguard`, also found by kubectl as a plugin (`kubectl dealguard`).

    main.py          the commands and their options, and the guard around them
    commands/        what each command does
    adapters/        the API server and the object storage
    timeline/        what happened to one analysis, from everything the cluster knows of it (`explain`)
    presentation/    what a person or a program sees
    local_analysis.py, report_files.py    contracts analysed here, side by side, and the files of their reports
    errors.py        everything that ends a command early, with its exit status

What belongs here: talking to people and scripts, to the API server and to the object storage. What never does:
deciding about an analysis (that is the operator's part), reading PDFs or calling a model (that is the analyzer's).
Only `main.py`, `errors.py` and `options.py` are imported at start, so that `--help` answers at once.
"""
