"""etcd, asked past the API server: the JSON form of its own protocol."""

import base64
import json
import ssl
from typing import Any

import urllib3

from dealguard_cluster.layout import Layout


def compact(layout: Layout) -> int:
    """Throw away all revisions but the newest; which that is."""
    context = ssl.create_default_context(cafile=str(layout.pki / "etcd" / "ca.crt"))
    client = layout.pki / "apiserver-etcd-client"
    context.load_cert_chain(client.with_suffix(".crt"), client.with_suffix(".key"))
    with urllib3.PoolManager(ssl_context=context) as pool:

        def ask(what: str, **fields: Any) -> dict[str, Any]:
            url = f"https://{layout.node_address}:2379/v3/kv/{what}"
            answer = pool.request("POST", url, body=json.dumps(fields), timeout=30)
            assert answer.status == 200, answer.data
            result: dict[str, Any] = json.loads(answer.data)
            return result

        revision = int(ask("range", key=base64.b64encode(b"any").decode())["header"]["revision"])
        ask("compaction", revision=revision, physical=True)
        return revision
