"""More arguments for the cluster's programs, as the operator's benchmark gives them."""

from dealguard_cluster.components import Component, with_arguments


def test_arguments_go_after_a_programs_own_and_to_no_other() -> None:
    etcd, server = Component("etcd", 1, ("etcd",), None), Component("server", 2, ("server", "--a=1"), None)
    changed = with_arguments((etcd, server), {"server": ["--a=2", "--b"]})
    assert [program.argv for program in changed] == [("etcd",), ("server", "--a=1", "--a=2", "--b")]
    assert with_arguments((etcd, server), {}) == (etcd, server)
