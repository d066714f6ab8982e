#!/usr/bin/env bash
# Builds the fuzz targets and runs each for some seconds: fuzz/run.sh [SECONDS [TARGET...]]
#
# Needs cargo-fuzz. On a stable toolchain it runs without sanitizers, which find
# nothing more in code without `unsafe`; TWICETOLD_FUZZ=address takes the nightly
# one with AddressSanitizer, for the libraries written in C. TWICETOLD_FUZZ_FLAGS
# goes to the build: --no-default-features leaves most formats out.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(tokens align scan read results report)
sanitizer=${TWICETOLD_FUZZ:-none}
toolchain=()
[ "$sanitizer" = none ] || toolchain=(+nightly)

# What the fuzzer begins with: texts and files of all kinds. The first byte of
# the latter tells what a file is called.
corpus() { mkdir -p "fuzz/corpus/$1" && echo "fuzz/corpus/$1"; }
cp seeds/*.txt "$(corpus tokens)"
read=$(corpus read)
kind=0
for ending in bin txt html jsonl json csv parquet arrow warc zip tar; do
    for file in tests/samples/{,*/}*."$ending"{,.*}; do
        [ -f "$file" ] || continue
        { printf "\\x$(printf %x $kind)" && cat "$file"; } >"$read/sample-$(basename "$file")"
    done
    kind=$((kind + 1))
done

for target in "${targets[@]}"; do
    # shellcheck disable=SC2086
    cargo "${toolchain[@]}" fuzz run --sanitizer "$sanitizer" ${TWICETOLD_FUZZ_FLAGS:-} "$target" "$(corpus "$target")" -- \
        -max_total_time="$seconds" -max_len=4096 -len_control=0 -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 -verbosity=0
done
