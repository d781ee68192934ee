"""A Ray cluster in one machine: nodes on the loopback, each a set of processes of its own, that can be killed."""

import contextlib

from vitkeras.farm import loaded

QUICK = {"health_check_initial_delay_ms": 500, "health_check_period_ms": 300, "health_check_failure_threshold": 3}


class Nodes:
    """A head without room for tasks, and nodes with `cpus` each; `address` is what they are reached by."""

    def __init__(self, nodes=2, cpus=1):
        loaded()
        from ray.cluster_utils import Cluster

        # Each has an address of its own on the loopback, or whoever connects might be put on any of them.
        head = {"num_cpus": 0, "include_dashboard": False, "_system_config": QUICK}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.nodes = [
            self.cluster.add_node(num_cpus=cpus, node_ip_address=f"127.0.0.{2 + number}") for number in range(nodes)
        ]
        self.cluster.wait_for_nodes()
        self.address = self.cluster.address

    def kill(self, node):
        """As if somebody pulled the plug: the node's own process and all that it has started end at once."""
        import psutil

        raylet = psutil.Process(self.raylet(node))
        for process in [raylet, *raylet.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def raylet(self, node):
        return self.nodes[node].all_processes["raylet"][0].process.pid

    def that_of(self, process):
        """The node on which a process runs: its raylet is one of the process's parents."""
        import psutil

        above = {parent.pid for parent in psutil.Process(process).parents()}
        return next(node for node in range(len(self.nodes)) if self.raylet(node) in above)

    def __enter__(self):
        return self

    def __exit__(self, *fault):
        with contextlib.suppress(Exception):
            self.cluster.shutdown()
