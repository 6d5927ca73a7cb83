#!/usr/bin/env python3
"""Two thousand rows of rotten-tomatoes and of sst2 to train on, and up to a thousand to measure, as `rates.sh` fits them.

    python3 reviews.py DATA FOLDER     DATA has rotten-tomatoes/rt-polarity.{pos,neg} and sst2/{train.tsv.gz,dev.tsv}; writes FOLDER/rt and FOLDER/sst2
"""
import csv, gzip, pathlib, random, sys

data, folder = map(pathlib.Path, sys.argv[1:3])


def write(name, train, test):
    (folder / name).mkdir(parents=True, exist_ok=True)
    for split, rows in (("train", train), ("test", test)):
        with open(folder / name / f"{split}.csv", "w", newline="", encoding="utf-8") as file: csv.writer(file).writerows([("text", "label"), *rows])


def tsv(file): return [(text.strip(), ("negative", "positive")[int(label)]) for text, label in (line.rstrip("\n").split("\t") for line in list(file)[1:])]


stream = random.Random(11)
reviews = [(line.strip(), label) for label, name in (("negative", "rt-polarity.neg"), ("positive", "rt-polarity.pos"))
           for line in open(data / "rotten-tomatoes" / name, encoding="latin-1")]
stream.shuffle(reviews)
write("rt", reviews[:2000], reviews[2000:3000])
with gzip.open(data / "sst2" / "train.tsv.gz", "rt", encoding="utf-8") as file: phrases = tsv(file)
stream.shuffle(phrases)
with open(data / "sst2" / "dev.tsv", encoding="utf-8") as file: write("sst2", phrases[:2000], tsv(file))
