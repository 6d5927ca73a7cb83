#!/bin/sh
# Fits the tickets of tickets.py twice, with LoRA and with all weights, and prints accuracy and time of both. Wants a quiet machine.
#   sh tests/benchmarks/fit/measure.sh MODEL        MODEL: a folder, hf://owner/name or nuget://Id/Version
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ssti=${SSTI:-"$here/../../../src/Ssti.Cli/bin/Release/net10.0/ssti"}
case $1 in *://*) model=$1 ;; *) model=$(cd "$1" && pwd) ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$here/tickets.py" "$work/tickets"
cd "$work"
for part in adapter everything; do
    begun=$(date +%s)
    "$ssti" fit tickets --model "$model" --text-column body --label-column queue --train $part -o $part -q > $part.txt
    echo "$part: $(($(date +%s) - begun)) s, load $(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo unknown)"
    sed -n '/^fit-measured/{p;q;}' $part.txt
done
