git_clones_collects_and_checks_a_repository() {
    export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
    git init -q --bare -b main plain.git
    "$python" "$programs/python/history.py" | git -C plain.git fast-import --quiet
    git init -q --bare -b main heap.git
    "$python" "$programs/python/history.py" | on_heap git -C heap.git fast-import --quiet
    holds 'sum(image["allocations"] for image in o + [p]) > 1000'
    is "$(git -C heap.git rev-parse main)" "$(git -C plain.git rev-parse main)"

    on_heap git clone -q --no-local heap.git copy
    holds 'e["exitCode"] == 0 and len(o) >= 2'
    is "$(git -C copy rev-parse HEAD)" "$(git -C plain.git rev-parse main)"
    git -C copy diff --quiet HEAD

    on_heap git -C copy gc -q --aggressive --prune=now
    holds 'e["exitCode"] == 0'
    is "$(git -C copy count-objects -v | grep '^count:')" "count: 0"
    on_heap git -C copy fsck --full --strict
    holds 'e["exitCode"] == 0'
    git -C copy fsck --full --strict
    same git -C copy log --stat --format=%H%n%B
    same git -C copy blame file-7.txt
    same git -C copy grep -n -E 'line (1|3)[0-9]* of'
}
