#!/usr/bin/env python3
"""Reads the cores below a directory that all executors see, in N tasks of Apache Spark:

    spark-submit obit_triage.py /shared/cores 64 /shared/records
    obit merge /shared/records/part-* --db crashes.db

Further arguments are options of `obit triage`, such as --redact-key or --sysroot.
Each task runs `obit triage DIR --shard I/N --emit ndjson`. One that fails, or whose executor
is lost, is run again, and only what a task wrote to its end is in the output. A task takes
as many processors as `spark.task.cpus` says.
"""

import os
import shlex
import sys

from pyspark.sql import SparkSession


def main() -> None:
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    directory, shards, output = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    options = " ".join(map(shlex.quote, sys.argv[4:]))
    obit = shlex.quote(os.environ.get("OBIT", "obit"))
    spark = SparkSession.builder.appName("obit triage").getOrCreate()
    jobs = spark.conf.get("spark.task.cpus", "1")
    one = (
        f"{obit} triage {shlex.quote(directory)} --shard $shard/{shards} --emit ndjson"
        f" --jobs {jobs} --quiet {options}"
    )
    # Exit code 1: a file could not be read, which has a record of its own or is reported.
    command = f"while read -r shard; do {one} || [ $? = 1 ] || exit 1; done"
    numbers = spark.sparkContext.parallelize(range(1, shards + 1), shards)
    # The command has no other environment.
    names = ["PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "DEBUGINFOD_URLS"]
    environment = {name: os.environ[name] for name in names if name in os.environ}
    lines = numbers.pipe(f"sh -c {shlex.quote(command)}", environment, checkCode=True)
    lines.saveAsTextFile(output)
    spark.stop()


if __name__ == "__main__":
    main()
