#!/usr/bin/env bash
# Fits the tickets of tickets.py with LoRA and with all weights, as `ssti fit` does both by itself, and prints what each got right and what it took.
#
#   tests/benchmarks/fit/measure.sh MODEL [adapter|everything|both]        MODEL: a folder, hf://owner/name or nuget://Id/Version
#
# Wall seconds are those of a quiet machine only on one; processor seconds are much the same on a busy one, and half of them is the least that two cores can take.
# OMP_WAIT_POLICY=PASSIVE keeps threads that wait for each other from spinning, which a busy machine makes long and the processor's time would count.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
ssti=${SSTI:-"$here/../../../src/Ssti.Cli/bin/Release/net10.0/ssti"}
case ${2:-both} in adapter) parts=adapter ;; everything) parts=everything ;; both) parts="adapter everything" ;; *) echo "'$2' is none of adapter, everything, both" >&2; exit 2 ;; esac
case $1 in *://*) model=$1 ;; *) model=$(cd "$1" && pwd) ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY-PASSIVE} SSTI_STORE="$work/store" DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
TIMEFORMAT='%R %U %S'
load() { cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo unknown; }
python3 "$here/tickets.py" "$work/tickets"
awk -F': ' '/^cpu family/ { family = $2 } /^model\t/ { model = $2 } /^model name/ { name = $2 } END { printf "%s (family %s, model %s), ", name, family, model }' /proc/cpuinfo 2>/dev/null || true
echo "$(nproc) cores"
cd "$work"
for part in $parts; do
    before=$(load)
    if ! { time "$ssti" fit tickets --model "$model" --text-column body --label-column queue --train $part -o $part > $part.txt 2> $part.log; } 2> time.txt; then
        tail -20 $part.log >&2
        exit 1
    fi
    awk -v part=$part -v from="$before" -v to="$(load)" '{ printf "%s: %.0f s wall, %.0f s processor, load %s at the start and %s at the end\n", part, $1, $2 + $3, from, to }' time.txt
    sed -n '/^fit-measured/p' $part.txt
    # Every look: the update, the loss and what was right.
    sed 's/^/  /' $part/validation.jsonl
done
