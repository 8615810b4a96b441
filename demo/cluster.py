"""`make demo-cluster`: two replicas of Tell on MariaDB, Redis and S3 behind nginx, all real.

Everything runs on loopback and ends with this program. CHECK=1 proves it, and kills each replica
with -9 while somebody listens.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from demo.chain import chain_at
from demo.check import check
from demo.cluster_check import check_cluster
from demo.cluster_parts import missing_for_cluster, running_cluster
from demo.steps import MOVIE_ID, run_demo, show


def main() -> int:
    """Run the demo; the exit code is 0 when all went well, 1 when a step or the proof failed.

    A proof that cannot be made here for want of a program is skipped, and fails where CI is set.
    """
    parser = argparse.ArgumentParser(prog="python -m demo.cluster", description=__doc__)
    parser.add_argument("--check", action="store_true", help="prove it, and end")
    parser.add_argument("--folder", type=Path, default=Path("var/cluster"), help="var/cluster")
    arguments = parser.parse_args()
    missing = missing_for_cluster()
    if missing is not None:
        if arguments.check and not os.environ.get("CI"):
            print(f"SKIPPED: the proof of the cluster, since {missing}", file=sys.stderr)
            return 0
        print(f"FAILED: the cluster cannot be started, since {missing}", file=sys.stderr)
        return 1
    return run_demo(_run(arguments.folder, prove=arguments.check), proves=arguments.check)


async def _run(folder: Path, *, prove: bool) -> None:
    async with running_cluster(folder) as cluster:
        async with chain_at(cluster.amc.url) as chain:
            sales = await chain.sell_three(MOVIE_ID)
        show(sales, cluster.nginx.url, cluster.amc.url)
        if prove:
            await check(cluster.nginx.url, cluster.amc.url, sales, folder)
            await check_cluster(cluster, sales)
        else:
            print("Ctrl-C stops everything.", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
