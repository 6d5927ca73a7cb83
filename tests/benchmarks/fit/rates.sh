#!/usr/bin/env bash
# Fits 2,000 rows each of rotten-tomatoes and sst2 at three learning rates with the other defaults of `ssti fit`, and prints the look that was kept and what the test
# rows gave: six trainings.
#
#   tests/benchmarks/fit/rates.sh MODEL DATA [rate...]        MODEL as for measure.sh; DATA: a folder with rotten-tomatoes/ and sst2/
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
ssti=${SSTI:-"$here/../../../src/Ssti.Cli/bin/Release/net10.0/ssti"}
case $1 in *://*) model=$1 ;; *) model=$(cd "$1" && pwd) ;; esac
data=$(cd "$2" && pwd)
if [ $# -gt 2 ]; then rates=("${@:3}"); else rates=(3e-4 1e-3 3e-3); fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SSTI_STORE="$work/store" OMP_WAIT_POLICY=${OMP_WAIT_POLICY-PASSIVE} DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
TIMEFORMAT='%R %U %S'
python3 "$here/reviews.py" "$data" "$work"
cd "$work"
for set in rt sst2; do
    for rate in "${rates[@]}"; do
        if ! { time "$ssti" fit $set --model "$model" --learning-rate "$rate" -o $set-"$rate" > out.txt 2> log.txt; } 2> time.txt; then
            tail -20 log.txt >&2
            exit 1
        fi
        awk -v what="$set at $rate" '{ printf "%s: %.0f s wall, %.0f s processor\n", what, $1, $2 + $3 }' time.txt
        grep '"best":true' $set-"$rate"/validation.jsonl | tail -1 | sed 's/^/  /'
        sed -n '/^fit-measured/{s/^/  /;p;q;}' out.txt
    done
done
