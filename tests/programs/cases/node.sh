node_runs_worker_threads_that_pass_buffers() {
    same node "$programs/node/workers.js"
    holds 'p["allocations"] > 10000 and p["threadPeak"] >= 5'
}
