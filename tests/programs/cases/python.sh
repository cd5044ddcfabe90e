python_builds_and_drops_large_structures() {
    same "$python" "$programs/python/structures.py"
    holds 'p["allocations"] > 10000 and e["exitCode"] == 0'
}

python_builds_and_drops_large_structures_with_every_object_on_the_heap() {
    export PYTHONMALLOC=malloc
    same "$python" "$programs/python/structures.py"
    holds 'p["allocations"] > 1000000 and p["peakBytesInUse"] > 20 << 20'
    holds 'p["bytesInUse"] < p["peakBytesInUse"] / 4'
}

python_uses_its_json_sqlite_zlib_and_threading_modules() {
    export PYTHONMALLOC=malloc
    same "$python" "$programs/python/modules.py"
    holds 'p["threadPeak"] >= 4 and p["failedAllocations"] == 0'
}

python_forks_worker_processes_that_use_the_heap() {
    same "$python" "$programs/python/workers.py"
    holds 'len([image for image in o if image["parentProcessId"] == e["processId"]]) >= 3'
}
