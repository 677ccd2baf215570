# One target a part: `operator`, `analyzer`. Each holds the Python packages that its part needs and nothing to build
# with. BASE_IMAGE is any Debian-like image with python3 3.11, which the lock files are made for; where it has no pip,
# the build stages get one.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
RUN python3 -m pip --version 2>/dev/null || \
    (apt-get update && apt-get install -y --no-install-recommends python3-pip)
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# Dependencies first: they change less often than the code, so their layer is reused.
FROM build AS operator-build
COPY requirements/operator.txt requirements.txt
RUN python3 -m pip install --require-hashes --no-deps --only-binary :all: --target /opt/dealguard -r requirements.txt
COPY api/dealguard_api /opt/dealguard/dealguard_api
COPY operator/dealguard_operator /opt/dealguard/dealguard_operator
RUN python3 -m compileall -q -j 0 /opt/dealguard

FROM build AS analyzer-build
COPY requirements/analyzer.txt requirements.txt
RUN python3 -m pip install --require-hashes --no-deps --only-binary :all: --target /opt/dealguard -r requirements.txt
COPY api/dealguard_api /opt/dealguard/dealguard_api
COPY analyzer/dealguard_analyzer /opt/dealguard/dealguard_analyzer
# Without bytecode, the first import of the Anthropic SDK costs 3 to 4 s of a one-minute promise.
RUN python3 -m compileall -q -j 0 /opt/dealguard

FROM ${BASE_IMAGE} AS runtime
# Public Python images carry pip; what runs has no use for it.
RUN python3 -m pip uninstall --yes --quiet pip setuptools wheel 2>/dev/null || true
# 65532 is the conventional "nonroot": a number, so that the kubelet can verify runAsNonRoot.
USER 65532:65532
WORKDIR /
# USER: libraries ask for the user name, and a number without an entry in /etc/passwd has none.
ENV PYTHONPATH=/opt/dealguard PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp USER=nonroot

FROM runtime AS operator
COPY --from=operator-build /opt/dealguard /opt/dealguard
ENTRYPOINT ["python3", "-m", "dealguard_operator"]

FROM runtime AS analyzer
COPY --from=analyzer-build /opt/dealguard /opt/dealguard
ENTRYPOINT ["python3", "-m", "dealguard_analyzer"]
