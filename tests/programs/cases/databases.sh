sqlite3_runs_thousands_of_statements() {
    "$python" "$programs/python/statements.py" >statements.sql
    sqlite3 plain.db <statements.sql >expected
    on_heap sqlite3 heap.db <statements.sql >actual
    cmp expected actual
    is "$(tail -n 1 actual)" ok
    holds 'p["allocations"] > 10000 and e["exitCode"] == 0'
    is "$(sqlite3 heap.db .dump | md5sum)" "$(sqlite3 plain.db .dump | md5sum)"
}

redis_server_serves_redis_benchmark() {
    port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    on_heap redis-server --bind 127.0.0.1 --port "$port" --save '' --dir "$PWD" >server.log 2>report.txt &
    server=$!
    trap 'kill $server 2>/dev/null || true' EXIT
    client() { redis-cli -p "$port" "$@"; }
    eventually client ping

    redis-benchmark -p "$port" -n 20000 -c 20 -P 4 -q -d 100 -r 5000 -t set,get,incr,lpush,rpop,sadd,hset,spop,zadd,lrange_100,mset
    client eval 'for i = 1, 20000 do redis.call("set", "key:" .. i, string.rep("v", i % 700)) end return "done"' 0
    is "$(client strlen key:699)" 699
    is "$(client get key:705)" vvvvv
    client eval 'for i = 1, 20000, 2 do redis.call("append", "key:" .. i, string.rep("w", i % 900)) redis.call("del", "key:" .. i + 1) end' 0
    is "$(client strlen key:699)" 1398
    is "$(client exists key:700)" 0
    client bgsave
    eventually sh -c "redis-cli -p $port info persistence | grep -q 'rdb_bgsave_in_progress:0'"
    client info persistence >persistence
    grep -q 'rdb_last_bgsave_status:ok' persistence
    client flushall
    client shutdown nosave || true
    wait "$server" && status=0 || status=$?
    is "$status" 0
    holds 'p["allocations"] > 100000 and p["failedAllocations"] == 0'
    holds 'p["bytesInUse"] < p["peakBytesInUse"]'
    holds 'len(o) >= 1 and o[0]["parentProcessId"] == e["processId"]'
    grep -q 'redis-server exited with code 0' report.txt
}
