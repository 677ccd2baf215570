"""The gateway beside a service of the old kind (FastAPI, Redis, ARQ) and a proxy that asks the API server each time.

What belongs here: those two, the load, the measures and their report. What never does: anything that DealGuard ships.
"""
